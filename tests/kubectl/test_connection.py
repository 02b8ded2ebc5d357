"""What the API server's port takes: which ciphers, which hosts."""
import socket
import ssl

import pytest


def connect(instance, ciphers=None):
    context = ssl.create_default_context(cafile=str(instance.data / "pki" / "ca.crt"))
    if ciphers:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    plain = socket.create_connection(("127.0.0.1", instance.kube), timeout=30)
    try:
        return context.wrap_socket(plain, server_hostname="127.0.0.1")
    except BaseException:
        plain.close()
        raise


def status(instance, head):
    with connect(instance) as sock:
        sock.sendall(head.encode() + b"\r\nConnection: close\r\n\r\n")
        answer = b""
        while got := sock.recv(65536):
            answer += got
    return int(answer.split()[1])


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.1:6443", "kubernetes.default.svc", "[::1]:6443", "h:"])
def test_a_host_is_taken(instance, name):
    assert status(instance, f"GET /version HTTP/1.1\r\nHost: {name}") == 200
    assert status(instance, f"GET https://{name}/version HTTP/1.1\r\nHost: other") == 200


@pytest.mark.parametrize("name", ["h:bad", "h:80:90", "[::1", "h/x", "h;x", "h{}", ":6443", "u@h"])
def test_what_is_no_host_is_refused(instance, name):
    assert status(instance, f"GET /version HTTP/1.1\r\nHost: {name}") == 400


@pytest.mark.parametrize("target", ["https://h:bad/version", "https:///version", "https://u@h/version", "version", "*"])
def test_a_target_that_names_no_host_is_refused(instance, target):
    assert status(instance, f"GET {target} HTTP/1.1\r\nHost: h") == 400


# Both kinds of keys: whichever the server has, the cipher is not the one that it lacks a key for.
@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-SHA", "AES128-SHA256", "AES256-SHA384"])
def test_tls_1_2_in_cbc_is_refused(instance, cipher):
    with pytest.raises(ssl.SSLError, match="(?i)handshake failure"):
        connect(instance, f"ECDHE-ECDSA-{cipher}:ECDHE-RSA-{cipher}:@SECLEVEL=0")


def test_tls_1_2_without_forward_secrecy_is_refused(instance):
    with pytest.raises(ssl.SSLError, match="(?i)handshake failure"):
        connect(instance, "AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0")


def test_tls_1_2_in_gcm_is_spoken(instance):
    with connect(instance, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") as sock:
        assert sock.version() == "TLSv1.2"
        assert "GCM" in sock.cipher()[0]
