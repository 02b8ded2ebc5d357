"""A disk of its own for a data directory, and the end of the machine's power."""
import contextlib
import fcntl
import json
import os
import pathlib
import signal
import struct
import subprocess

from support.instance import wait_for

SHUTDOWN = 0x8004587D  # ext4's and XFS's: _IOR('X', 125, __u32)
NO_FLUSH = 2  # at once: what is in memory never reaches the disk
# Nothing is on the disk but what somebody synced: no commit of the journal by time, no help for renames.
OPTIONS = "loop,commit=3600,noauto_da_alloc"


class Disk:
    """An ext4 in a file, mounted. After cut() it holds what a disk holds that lost its power: what was synced, and
    what the kernel happened to write on its own before. Nothing can be written to it any more."""

    def __init__(self, folder, megabytes):
        self.image, self.folder = folder / "disk.img", folder / "disk"
        self.folder.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)

    def mount(self):
        subprocess.run(["mount", "-o", OPTIONS, self.image, self.folder], check=True)

    def cut(self):
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_FLUSH))
        finally:
            os.close(folder)

    def unmount(self):
        """All that is mounted on it too, as at a machine's end. The kernel has then forgotten what was on it."""
        for path in reversed(self.mounts()):
            subprocess.run(["umount", "-l", path], check=True)
        assert wait_for(lambda: not self.loops(), 60), self.loops()

    def mounts(self):
        paths = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
        return [path for path in paths if path == str(self.folder) or path.startswith(f"{self.folder}/")]

    def loops(self):
        return subprocess.run(["losetup", "-j", self.image], capture_output=True, text=True, check=True).stdout


def processes(instance, name):
    """All that run of an instance: its roles, and what is in its control groups."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                ours = str(instance.data).encode() in b" ".join(words) and int(entry.name) != os.getpid()
                if ours or f"/skiff-{name}/" in (entry / "cgroup").read_text():
                    found.append(int(entry.name))
    return found


def end_all(instance, name):
    def ended():
        found = processes(instance, name)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not found
    assert wait_for(ended, 60), processes(instance, name)


def cut_power(instance, disk):
    """As when the machine of a running instance loses its power and comes back: the disk is there, nothing runs."""
    name = instance.settings["id"]
    disk.cut()
    end_all(instance, name)
    disk.unmount()
    for link in os.listdir("/sys/class/net"):
        if link == f"skiff-{name}" or link.startswith(f"sk{name}"):
            # Those of pods go by themselves, with the other end's network.
            subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False)
    disk.mount()
