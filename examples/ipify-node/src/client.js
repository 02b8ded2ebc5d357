// Whom an answer is about: the TCP peer, or what proxies that are trusted say of it.
import { BlockList, isIP } from "node:net";

const PRIVATE = ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const MAPPED_HEX = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** The form of RFC 5952, IPv4 for an IPv4 client of a dual-stack socket; undefined when the text is no address. */
export function parseAddress(text) {
  const mapped = MAPPED.exec(text);
  if (mapped) return isIP(mapped[1]) ? mapped[1] : undefined;
  const family = isIP(text);
  if (family === 4) return text;
  if (family === 0 || text.includes("%")) return undefined;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1); // a URL's host is written as RFC 5952 says
  const hex = MAPPED_HEX.exec(short);
  if (!hex) return short;
  const [high, low] = [parseInt(hex[1], 16), parseInt(hex[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** Throws an Error that names the wrong entry. */
export function parseTrust(list) {
  const blocks = new BlockList();
  const entries = list === undefined ? PRIVATE : list.split(",").map((entry) => entry.trim()).filter(Boolean);
  for (const entry of entries) {
    const [host, bits, ...rest] = entry.split("/");
    const address = parseAddress(host);
    const family = address?.includes(":") ? "ipv6" : "ipv4";
    const most = family === "ipv6" ? 128 : 32;
    const length = bits === undefined ? most : Number(bits);
    if (!address || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)) || length > most) {
      throw new Error(`TRUSTED_PROXIES has "${entry}", which is neither an address nor a block such as 10.0.0.0/8`);
    }
    blocks.addSubnet(address, length, family);
  }
  const known = new Map(); // peers are few: the proxies in front
  const trusts = (address) => {
    let answer = known.get(address);
    if (answer === undefined) {
      answer = blocks.check(address, address.includes(":") ? "ipv6" : "ipv4");
      if (known.size < KNOWN_PEERS) known.set(address, answer);
    }
    return answer;
  };
  // Without a list exactly one proxy is assumed, so nobody on a private network can put an address to the left of his own.
  return { trusts, oneProxy: list === undefined };
}

const KNOWN_PEERS = 1024;

// As proxies write it: bare, "1.2.3.4:80", "[2001:db8::1]" or "[2001:db8::1]:80".
function parseEntry(entry) {
  if (entry.startsWith("[")) {
    const found = /^\[([^\]]*)\](?::.*)?$/.exec(entry);
    return found ? parseAddress(found[1]) : undefined;
  }
  const colon = entry.indexOf(":");
  return parseAddress(colon >= 0 && colon === entry.lastIndexOf(":") ? entry.slice(0, colon) : entry);
}

/** `forwarded` is X-Forwarded-For, its lines joined by commas: read from the right, as far as trusted hosts wrote it. */
export function clientAddress(peer, forwarded, trust) {
  let client = parseAddress(peer) ?? peer;
  let end = forwarded?.length ?? 0;
  while (end > 0 && trust.trusts(client)) {
    const start = forwarded.lastIndexOf(",", end - 1) + 1;
    const entry = forwarded.slice(start, end).trim();
    end = start - 1;
    if (entry === "") continue;
    const address = parseEntry(entry);
    if (address === undefined) break;
    client = address;
    if (trust.oneProxy) break;
  }
  return client;
}
