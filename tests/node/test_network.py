"""What a pod can do to the machine's network and to its neighbours."""
import contextlib
import http.server
import json
import socket
import subprocess
import sys
import threading
import time

from conftest import SERVER, pod
from test_node import service

GATEWAY = "10.220.0.1"  # of the rig's pods
# Perl's own sockets: the image has no other program for raw frames.
RAW = r"""
sub index_of { open my $f, '<', '/sys/class/net/eth0/ifindex' or die; my $n = <$f>; chomp $n; $n }
sub mac { open my $f, '<', '/sys/class/net/eth0/address' or die; my $m = <$f>; chomp $m; pack 'H*', $m =~ s/://gr }
sub frame {
  my ($type, $bytes) = @_;
  socket my $s, 17, 3, 0 or die "socket: $!";
  my $to = pack 'S n l S C C a8', 17, $type, index_of(), 0, 0, 6, substr($bytes, 0, 6);
  send $s, $bytes, 0, $to or die "send: $!";
}
sub ip { pack 'C4', split /\./, shift }
"""
# Says to all that the address ARGV[0] is here, as a request and as an answer.
TAKE_ARP = RAW + r"""
for (1 .. 20) {
  for my $op (1, 2) {
    frame(0x0806, "\xff" x 6 . mac() . pack('n n n C C n', 0x0806, 1, 0x800, 6, 4, $op) . mac() . ip($ARGV[0])
          . "\xff" x 6 . ip($ARGV[1]));
  }
  select undef, undef, undef, 0.05;
}
print "sent\n"; sleep 100;
"""
# A router advertisement with a prefix: who believes it takes an address of it.
ADVERTISE = RAW + r"""
my $m = mac();
my $source = "\xfe\x80" . "\0" x 6 . (substr($m, 0, 1) ^ "\2") . substr($m, 1, 2) . "\xff\xfe" . substr($m, 3);
my $target = "\xff\x02" . "\0" x 13 . "\1";
my $prefix = pack 'n4 a8', 0x2001, 0xdb8, 0x666, 0, '';
my $icmp = pack('C C n C C n N N', 134, 0, 0, 64, 0, 0, 0, 0) . pack('C4 N N N', 3, 4, 64, 0xc0, 600, 600, 0) . $prefix
           . pack('C2', 1, 1) . $m;
my $sum = 0;
$sum += $_ for unpack 'n*', $source . $target . pack('N N', length $icmp, 58) . $icmp;
$sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
substr $icmp, 2, 2, pack 'n', ~$sum & 0xffff;
for (1 .. 5) {
  frame(0x86dd, "\x33\x33\0\0\0\1" . $m . pack('n', 0x86dd) . pack('N n C C', 6 << 28, length $icmp, 58, 255) . $source . $target . $icmp);
  select undef, undef, undef, 0.1;
}
print "sent\n"; sleep 100;
"""


def perl(program, *args):
    return {"container": {"command": ["perl", "-e", "$| = 1;" + program, *args]}}


def bridge(rig):
    return "skiff-" + rig.instance


def neighbour(rig, address):
    shown = subprocess.run(["ip", "-j", "neigh", "show", address, "dev", bridge(rig)], capture_output=True, text=True).stdout
    return [entry.get("lladdr") for entry in json.loads(shown or "[]")]


def wait_said(rig, name, text, seconds=20):
    rig.wait_ready(name, seconds)
    rig.wait_log(name, text, seconds)


def served(name, command=SERVER):
    """A pod that is ready when it serves, on port 8080."""
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    return pod(name, command, container={"readinessProbe": probe})


def ask(address, port=8080, space=()):
    command = [*space, "timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port} && cat <&3"]
    return subprocess.run(command, capture_output=True, text=True)


@contextlib.contextmanager
def serving(address):
    """An HTTP server of the machine on an address that pods route to."""
    server = http.server.ThreadingHTTPServer((address, 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_pod_takes_over_a_neighbours_address(rig):
    rig.put(served("victim"))
    rig.wait_ready("victim")
    address = rig.pod("victim")["status"]["podIP"]
    assert "hello from victim" in ask(address).stdout
    known = neighbour(rig, address)
    assert len(known) == 1, known
    rig.put(pod("thief", "", **perl(TAKE_ARP, address, GATEWAY)))
    wait_said(rig, "thief", "sent", 20)
    assert neighbour(rig, address) == known
    assert "hello from victim" in ask(address).stdout


def test_no_pod_takes_over_the_gateway(rig):
    rig.put(served("server"))
    rig.wait_ready("server")
    rig.put(pod("thief", "", **perl(TAKE_ARP, GATEWAY, GATEWAY)))
    wait_said(rig, "thief", "sent", 20)
    address = rig.pod("server")["status"]["podIP"]
    rig.put(pod("client", f"exec 3<>/dev/tcp/{address}/8080 && cat <&3; sleep 100"))
    wait_said(rig, "client", "hello from server")


def test_a_router_advertisement_of_a_pod_reaches_nobody(rig):
    rig.put(pod("router", "", **perl(ADVERTISE)), pod("other", "sleep 100"))
    rig.wait_ready("other")
    wait_said(rig, "router", "sent", 20)
    pid = (rig.data / "node/pods/default-other-uid/containers/c/0/pid").read_text()
    for space in ([], ["nsenter", "-t", pid, "-n"]):
        shown = subprocess.run([*space, "ip", "-6", "addr", "show"], capture_output=True, text=True, check=True).stdout
        assert "2001:db8:666" not in shown, shown
    assert "inet6" not in subprocess.run(["ip", "addr", "show", "dev", bridge(rig)], capture_output=True, text=True).stdout


def test_tcp_inside_the_machine_is_not_paced_for_a_network_beyond_it(rig):
    rig.put(served("web", SERVER.replace("close $c", "push @kept, $c")))
    rig.wait_ready("web")
    address = rig.pod("web")["status"]["podIP"]
    pid = (rig.data / "node/pods/default-web-uid/containers/c/0/pid").read_text()
    with socket.create_connection((address, 8080), 5):
        for space in ([], ["nsenter", "-t", pid, "-n"]):
            shown = subprocess.run([*space, "ss", "-Htino", f"( src {address} or dst {address} )"],
                                   capture_output=True, text=True, check=True).stdout
            assert " reno " in shown and "bbr" not in shown and "cubic" not in shown, shown


def connect(address, port):
    """Says what becomes of a connection: open, refused, or neither within five seconds."""
    program = (f'$s = IO::Socket::INET->new(PeerAddr => "{address}", PeerPort => {port}, Timeout => 5); '
               f'print $s ? "open" : $@ =~ /refused/ ? "refused" : "neither: $@", " {port}\\n"')
    return f"perl -MIO::Socket -e '{program}';"


@contextlib.contextmanager
def neighbour_machine():
    """A network namespace that plays another machine on a cable to this one; gives how commands run there."""
    def ip(*args):
        subprocess.run(["ip", *args], check=True)

    ip("netns", "add", "skiff-lan")
    try:
        ip("link", "add", "skifflan0", "type", "veth", "peer", "name", "eth0", "netns", "skiff-lan")
        ip("addr", "add", "198.18.8.1/24", "dev", "skifflan0")
        ip("link", "set", "skifflan0", "up")
        ip("-n", "skiff-lan", "addr", "add", "198.18.8.2/24", "dev", "eth0")
        ip("-n", "skiff-lan", "link", "set", "eth0", "up")
        ip("-n", "skiff-lan", "route", "add", "default", "via", "198.18.8.1")
        yield ["ip", "netns", "exec", "skiff-lan"]
    finally:
        subprocess.run(["ip", "netns", "del", "skiff-lan"])
        subprocess.run(["ip", "link", "del", "skifflan0"], capture_output=True)


CLOUD = "169.254.169.254"  # where clouds tell secrets


@contextlib.contextmanager
def cloud():
    """A neighbour that answers there, as a cloud does: without it a missing route refuses as well as a rule."""
    with neighbour_machine() as there:
        subprocess.run([*there, "ip", "addr", "add", CLOUD + "/32", "dev", "lo"], check=True)
        subprocess.run([*there, "ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "route", "add", CLOUD + "/32", "via", "198.18.8.2"], check=True)
        server = subprocess.Popen([*there, sys.executable, "-m", "http.server", "80", "--bind", CLOUD],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 20
            while ask(CLOUD, 80).returncode == 1:
                assert time.monotonic() < deadline, "the machine itself does not reach it"
                time.sleep(0.1)
            yield
        finally:
            server.kill()
            server.wait()


def test_pods_reach_cluster_addresses_but_no_port_of_the_machine(rig):
    rig.put(served("web"))
    rig.wait_ready("web")
    rig.put(*service("web", "10.221.0.50", rig.pod("web")["status"]["podIP"]))
    with serving(GATEWAY) as port, cloud():
        assert ask(GATEWAY, port).returncode != 1  # the machine itself reaches it
        script = (connect(GATEWAY, port) + connect(CLOUD, 80) +
                  "sleep 0.5; exec 3<>/dev/tcp/web.default.svc.cluster.local/80 && cat <&3; echo done; sleep 100")
        rig.put(pod("client", script))
        wait_said(rig, "client", "done", 30)
    said = rig.logs("client")
    assert "open" not in said, said
    # Refused at once, not left waiting.
    assert f"refused {port}" in said and "refused 80" in said and "hello from web" in said, said


def test_a_neighbour_of_the_machine_reaches_node_ports_and_no_pod(rig):
    rig.put(served("web"))
    rig.wait_ready("web")
    address = rig.pod("web")["status"]["podIP"]
    objects = service("web", "10.221.0.50", address)
    objects[0]["spec"]["type"] = "NodePort"
    objects[0]["spec"]["ports"][0]["nodePort"] = 30880
    rig.put(*objects)
    assert "hello from web" in ask(address).stdout
    with neighbour_machine() as there:
        for _ in range(20):
            answer = ask("198.18.8.1", 30880, there).stdout
            if "hello from web" in answer:
                break
        assert "hello from web" in answer
        assert "hello" not in ask(address, 8080, there).stdout
        assert "hello" not in ask("10.221.0.50", 80, there).stdout
