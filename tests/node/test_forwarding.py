"""A machine that forwarded no packets before Skiff came is no router for its neighbours."""
import contextlib
import os
import subprocess

import pytest
from conftest import instance_name, make_rig

MACHINE, LEFT, RIGHT = "skiff-machine", "skiff-left", "skiff-right"
# The namespace as a machine: its own interfaces in /sys, with the control groups there, and its own /run/skiff.
ENTER = """set -e
mount --make-rprivate /
mkdir -p /run/skiff && mount -t tmpfs tmpfs /run/skiff
kept=$(mktemp -d) && mount --rbind /sys/fs/cgroup "$kept"
umount -l /sys && mount -t sysfs sysfs /sys && mount --rbind "$kept" /sys/fs/cgroup
umount -l "$kept" && rmdir "$kept"
exec "$@"
"""


def ip(*args, **options):
    return subprocess.run(["ip", *args], check=True, **options)


def plug(name, number):
    """A cable from the machine to a neighbour, whose default route leads through the machine."""
    ip("-n", MACHINE, "link", "add", f"to-{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
    ip("-n", MACHINE, "addr", "add", f"198.18.{number}.1/24", "dev", f"to-{number}")
    ip("-n", MACHINE, "link", "set", f"to-{number}", "up")
    ip("-n", name, "addr", "add", f"198.18.{number}.2/24", "dev", "eth0")
    ip("-n", name, "link", "set", "eth0", "up")
    ip("-n", name, "route", "add", "default", "via", f"198.18.{number}.1")


def unplug(number):
    ip("-n", MACHINE, "link", "del", f"to-{number}")


def in_machine(*command):
    shown = subprocess.run(["nsenter", f"--net=/run/netns/{MACHINE}", *command], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.strip()


def reaches(name, address):
    """Whether anything comes back from there: a refusal does."""
    command = ["ip", "netns", "exec", name, "timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{address}/9"]
    return "refused" in subprocess.run(command, capture_output=True, text=True).stderr


@contextlib.contextmanager
def namespaces(*names):
    made = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name])


def forwards():
    return in_machine("cat", "/proc/sys/net/ipv4/ip_forward")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_closed_machine_stays_closed_for_neighbours_and_is_left_so(tmp_path, image):
    with namespaces(MACHINE, LEFT, RIGHT):
        in_machine("sysctl", "-qw", "net.ipv4.ip_forward=1")
        plug(LEFT, 10)
        plug(RIGHT, 11)
        assert reaches(LEFT, "198.18.11.2"), "the neighbours' routes are wrong"
        unplug(11)
        in_machine("sysctl", "-qw", "net.ipv4.ip_forward=0")
        rig = make_rig(tmp_path, image, instance_name(2), 220,
                       ["nsenter", f"--net=/run/netns/{MACHINE}", "unshare", "--mount", "sh", "-c", ENTER, "sh"])
        try:
            assert forwards() == "1"
            plug(RIGHT, 11)  # a card, or a tunnel, that came later
            assert reaches(LEFT, "198.18.11.1"), "the machine itself is not to be seen"
            assert not reaches(LEFT, "198.18.11.2") and not reaches(RIGHT, "198.18.10.2")
            # Guests of another manager: it put a bridge there and wants the machine to forward for it.
            unplug(11)
            ip("-n", MACHINE, "link", "add", "guests0", "type", "bridge")
            plug(RIGHT, 11)
            ip("-n", MACHINE, "addr", "flush", "dev", "to-11")
            ip("-n", MACHINE, "link", "set", "to-11", "master", "guests0")
            ip("-n", MACHINE, "addr", "add", "198.18.11.1/24", "dev", "guests0")
            ip("-n", MACHINE, "link", "set", "guests0", "up")
            assert reaches(LEFT, "198.18.11.2") and reaches(RIGHT, "198.18.10.2")
            ip("-n", MACHINE, "link", "del", "guests0")
        finally:
            rig.remove()
        assert forwards() == "0"
        assert "skiff" not in in_machine("nft", "list", "tables")
