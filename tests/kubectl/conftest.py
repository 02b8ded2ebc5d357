"""One instance for all tests of this folder, with the images that the recorded manifests name."""
import re
import subprocess

import pytest
from support.image import add_image
from support.instance import Instance, missing

# Stands in for busybox's httpd: -f -p PORT -h FOLDER.
HTTPD = """#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET;
my %option = (p => 8080, h => '/www');
while (defined(my $word = shift)) { $option{$1} = shift if $word =~ /^-([ph])$/ }
my $listener = IO::Socket::INET->new(LocalPort => $option{p}, Listen => 64, ReuseAddr => 1) or die "listen: $!";
$SIG{TERM} = sub { exit 0 };
while (my $client = $listener->accept) {
  my $path = (split ' ', scalar(<$client>) // '')[1] // '/';
  while (defined(my $line = <$client>)) { last if $line =~ /^\\r?\\n$/ }
  my $found = open my $file, '<', "$option{h}$path";
  my $body = $found ? do { local $/; <$file> } : "no such file\\n";
  my $status = $found ? '200 OK' : '404 Not Found';
  print $client "HTTP/1.1 $status\\r\\nContent-Length: " . length($body) . "\\r\\nConnection: close\\r\\n\\r\\n$body";
  close $client;
}
"""


def client_version():
    """The minor version of kubectl: what the recorded outputs depend on."""
    text = subprocess.run(["kubectl", "version", "--client"], capture_output=True, text=True).stdout
    found = re.search(r"v1\.(\d+)", text)
    return int(found[1]) if found else 0


def fetch(instance, tag):
    """The node knows the image from here on, as the recorded one did."""
    instance.kubectl("run", f"fetch{tag}", f"--image=skiff.local/bb:{tag}", "--restart=Never", "--", "true")
    phase = "--for=jsonpath={.status.phase}=Succeeded"
    instance.kubectl("wait", phase, f"pod/fetch{tag}", "--timeout=60s")
    instance.kubectl("delete", "pod", f"fetch{tag}")


@pytest.fixture(scope="session")
def instance(tmp_path_factory):
    if missing():
        pytest.skip(missing())
    made = Instance(tmp_path_factory.mktemp("kubectl"))
    try:
        made.up()
        for tag in "123":
            add_image(made, "bb", tag, {"usr/bin/httpd": (0o755, HTTPD), "etc/v": (0o644, tag + "\n"),
                                        "www/index.html": (0o644, f"version {tag}\n")})
            fetch(made, tag)
        yield made
    finally:
        made.close()
