"""A real S3 server for one test run: Ceph RGW with one monitor and one in-memory OSD, on loopback, in its own folder.

It checks signatures and expiry, which the usual fakes do not. Debian: radosgw ceph-mon ceph-osd ceph-common.
"""

import json
import random
import shutil
import socket
import subprocess
import uuid
from pathlib import Path

from tests.stack import Stack, free_port, wait_for

TOOLS = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "ceph-authtool", "monmaptool")
ACCESS = "tests-access"
SECRET = "tests-secret-0123456789"

_CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon2},v1:127.0.0.1:{mon1}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
ms bind ipv6 = false
run dir = {folder}/out
admin socket = {folder}/out/$name.asok
log file = {folder}/out/$name.log
mon data avail crit = 1
mon data avail warn = 2
mon max pg per osd = 1000
[mon.a]
mon data = {folder}/mon
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd memory target = 939524096
ms bind port min = {osd}
ms bind port max = {osd_end}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
debug rgw = 0
"""


def missing_tools() -> list[str]:
    """The programs that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class Rgw:
    """The server; `start` returns its endpoint, `stop` ends every process of it."""

    def __init__(self, folder: Path) -> None:
        # Sockets of Ceph's daemons lie below: a path of theirs ends at 107 bytes.
        self.folder = folder
        self._stack = Stack(folder)

    def start(self) -> str:
        for name in ("mon", "osd", "out"):
            (self.folder / name).mkdir(parents=True)
        self.port = free_port()
        fsid, osd = str(uuid.uuid4()), _free_range(40)
        monitor2, monitor1 = free_port(), free_port()
        configuration = self.folder / "ceph.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                fsid=fsid, folder=self.folder, mon1=monitor1, mon2=monitor2, osd=osd, osd_end=osd + 39, port=self.port
            )
        )
        self._conf = ["-c", str(configuration)]
        self._keys()
        self._monitor(fsid, f"[v2:127.0.0.1:{monitor2},v1:127.0.0.1:{monitor1}]")
        self._osd()
        self._stack.start("radosgw", *self._conf, "-n", "client.rgw", "-f")
        wait_for(self._answers, 60, what="RGW")
        self._run("radosgw-admin", "-n", "client.rgw", "user", "create", "--uid=tests", "--display-name=tests",
                  f"--access-key={ACCESS}", f"--secret-key={SECRET}")  # fmt: skip
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._stack.stop()

    def _keys(self) -> None:
        keyring = str(self.folder / "keyring")
        for number, (name, capabilities) in enumerate(
            {
                "mon.": ("mon", "allow *"),
                "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
                "client.rgw": ("mon", "allow rw", "osd", "allow rwx", "mgr", "allow rw"),
                "osd.0": ("mon", "allow profile osd", "osd", "allow *"),
            }.items()
        ):
            caps = [
                part for pair in zip(capabilities[::2], capabilities[1::2], strict=True) for part in ("--cap", *pair)
            ]
            create = [] if number else ["--create-keyring"]
            subprocess.run(
                ["ceph-authtool", *create, keyring, "--gen-key", "-n", name, *caps], check=True, capture_output=True
            )

    def _monitor(self, fsid: str, address: str) -> None:
        table = str(self.folder / "monmap")
        subprocess.run(
            ["monmaptool", "--create", "--clobber", "--addv", "a", address, "--fsid", fsid, table],
            check=True, capture_output=True,
        )  # fmt: skip
        keyring = str(self.folder / "keyring")
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", table, "--keyring", keyring)
        self._stack.start("ceph-mon", *self._conf, "-i", "a", "-f")

    def _osd(self) -> None:
        self._run("ceph", "--connect-timeout", "60", "osd", "new", str(uuid.uuid4()))
        known = json.loads(self._run("ceph", "osd", "dump", "-f", "json"))["osds"][0]["uuid"]
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", known)
        self._run("ceph", "auth", "import", "-i", str(self.folder / "keyring"))
        self._stack.start("ceph-osd", *self._conf, "-i", "0", "-f")

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run([program, *self._conf, *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{program} {arguments[:3]}: {done.stderr[-800:]}"
        return done.stdout

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _free_range(count: int) -> int:
    """The first of `count` neighbouring free ports."""
    for _ in range(100):
        first = random.randrange(20000, 32000 - count)
        probes: list[socket.socket] = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                probes.append(probe)
                probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")
