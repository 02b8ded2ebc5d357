"""Reads a PNG, far enough to know that it is one and that something is drawn on it."""
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BYTES_OF_A_PIXEL = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type, 8 bits deep


def read_png(data):
    """Width, height, and how much of it is not its most frequent byte (0 to 1). AssertionError where it is no PNG."""
    assert data.startswith(SIGNATURE), data[:16]
    at, chunks = len(SIGNATURE), []
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        assert checksum == zlib.crc32(kind + body), kind
        chunks.append((kind, body))
        at += 12 + length
    kinds = [kind for kind, _ in chunks]
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND", kinds
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[0][1])
    assert depth == 8 and (colour != 3 or b"PLTE" in kinds), (depth, colour, kinds)
    pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    assert len(pixels) == height * (1 + width * BYTES_OF_A_PIXEL[colour]), len(pixels)
    return width, height, 1 - max(map(pixels.count, set(pixels))) / len(pixels)
