"""HTTPS of a whole instance: what a client can verify with the authority that the instance made for serving."""
import json
import socket
import ssl
import subprocess

import pytest

from support.instance import wait_for

FAR = "www.elsewhere.example"
INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "far"},
           "spec": {"rules": [{"host": FAR, "http": {"paths": [{
               "path": "/", "pathType": "Prefix", "backend": {"service": {"name": "none", "port": {"number": 80}}}}]}}]}}
UNVERIFIED = (60, "000")


def curl(skiff, host, authority="edge-ca"):
    """(curl's exit code, status)"""
    done = subprocess.run(["curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "--cacert",
                           skiff.data / "pki" / f"{authority}.crt", "--resolve", f"*:{skiff.https}:127.0.0.1",
                           f"https://{host}:{skiff.https}/"], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout


@pytest.fixture
def far(skiff):
    """An Ingress whose host is not below the instance's domain; nothing answers behind it."""
    skiff.kubectl("apply", "-f", "-", stdin=json.dumps(INGRESS))
    yield FAR
    skiff.kubectl("delete", "ingress", "far")


def test_curl_verifies_every_host_that_is_routed_and_no_other(skiff, far):
    skiff.skiff("create", "verified")
    for host in ("verified.localhost", far):
        assert wait_for(lambda: curl(skiff, host) == (0, "503"), 20), (host, curl(skiff, host))
        assert curl(skiff, host, "ca") == UNVERIFIED
    for host in ("localhost", "api.localhost", "127.0.0.1"):
        assert curl(skiff, host) == (0, "401"), host
    assert curl(skiff, "nobody.localhost") == UNVERIFIED


def test_openssl_and_python_find_nothing_wrong(skiff, far):
    assert wait_for(lambda: curl(skiff, far)[0] == 0, 20)
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{skiff.https}", "-servername", far, "-CAfile",
                           skiff.data / "pki" / "edge-ca.crt", "-verify_hostname", far, "-verify_return_error",
                           "-x509_strict", "-purpose", "sslserver"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "Verify return code: 0 (ok)" in done.stdout, done.stdout + done.stderr
    context = ssl.create_default_context(cafile=skiff.data / "pki" / "edge-ca.crt")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", skiff.https), timeout=15) as plain:
        with context.wrap_socket(plain, server_hostname=far) as wire:
            assert wire.getpeercert()["subjectAltName"] == (("DNS", far),)


def test_a_missing_authority_is_made_at_the_next_start_and_only_then(skiff):
    pki = skiff.data / "pki"
    cluster, first = (pki / "ca.crt").read_text(), (pki / "edge-ca.crt").read_text()

    def start_again():
        skiff.skiff("down")
        skiff.up()
        return (pki / "edge-ca.crt").read_text()

    assert start_again() == first
    (pki / "edge-ca.crt").unlink()
    (pki / "edge-ca.key").unlink()
    assert start_again() != first
    assert (pki / "ca.crt").read_text() == cluster
    assert (pki / "edge-ca.key").stat().st_mode & 0o777 == 0o600
    assert curl(skiff, "localhost") == (0, "401")
