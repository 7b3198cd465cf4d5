"""Two connected network namespaces: the bot's, and a world in which every address is the tests' own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import certifi

from tests.conftest import REPOSITORY
from tests.links.certificates import TRUSTED, make_certificates
from tests.links.sites import PUBLIC, PUBLIC_6
from tests.needs import lacking

if TYPE_CHECKING:
    from pathlib import Path

BOT_ADDRESS, BOT_ADDRESS_6 = "45.0.0.1", "2600:beef::1"
WORLD_CANARIES = ("10.1.2.3", "172.16.5.5", "192.168.7.7", "169.254.169.254", "100.64.0.9", "198.18.0.9", "fd00::9")
BOT_CANARIES = ("127.0.0.1", "::1", "10.9.9.9", BOT_ADDRESS, BOT_ADDRESS_6)
DRIVER_SECONDS = 250


class Namespaces:
    """The two namespaces, connected by a virtual cable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.house, self.world = (f"links-{os.getpid()}-{name}" for name in ("house", "world"))
        self._servers: list[subprocess.Popen[str]] = []
        self.hits = folder / "hits"

    def open(self) -> None:
        """Create them and start the world's servers."""
        (self._folder / "resolv.conf").write_text(f"nameserver {PUBLIC}\noptions timeout:1 attempts:2\n")
        make_certificates(self._folder)
        self.hits.touch()
        _ip("netns", "add", self.house)
        _ip("netns", "add", self.world)
        _ip("-n", self.house, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.world)
        for name in (self.house, self.world):
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "cable", "up")
        self._address(self.house, f"{BOT_ADDRESS}/24", f"{BOT_ADDRESS_6}/64", "10.9.9.9/32")
        self._address(self.world, f"{PUBLIC}/24", f"{PUBLIC_6}/64", *WORLD_CANARIES)
        _ip("-n", self.house, "route", "add", "default", "via", PUBLIC)
        _ip("-n", self.house, "-6", "route", "add", "default", "via", PUBLIC_6)
        self._serve(self.world, PUBLIC, PUBLIC_6, *WORLD_CANARIES)
        self._serve(self.house, *BOT_CANARIES)

    def close(self) -> None:
        """Stop the servers and delete the namespaces."""
        for server in self._servers:
            server.kill()
            server.communicate()
        for name in (self.house, self.world):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)

    def fetch(self, cases: dict[str, dict[str, Any]], *child: str) -> tuple[dict[str, Any], list[str]]:
        """Fetch links from the bot's namespace; return the driver's report and the canaries that were hit.

        ``child`` is the module of a child process other than the bot's own.
        """
        self.hits.write_text("")
        # Here names are resolved by the world's server, and its certificate authority is trusted.
        script = 'mount --bind "$0" /etc/resolv.conf && mount --bind "$1" "$2" && shift 2 && exec "$@"'
        command = ["ip", "netns", "exec", self.house, "sh", "-c", script, str(self._folder / "resolv.conf")]
        command += [str(self._folder / TRUSTED), certifi.where(), sys.executable, "-m", "tests.links.driver", *child]
        told = subprocess.run(
            command,
            input=json.dumps(cases),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=DRIVER_SECONDS,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout), self.hits.read_text().splitlines()

    def _serve(self, name: str, *addresses: str) -> None:
        command = [
            "ip",
            "netns",
            "exec",
            name,
            sys.executable,
            "-m",
            "tests.links.world",
            str(self.hits),
            *addresses,
        ]
        server = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        self._servers.append(server)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"

    @staticmethod
    def _address(name: str, *addresses: str) -> None:
        for address in addresses:
            more = ("nodad",) if ":" in address else ()
            _ip("-n", name, "address", "add", address, "dev", "cable", *more)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def check_permitted() -> None:
    """Skip where namespaces cannot be made, with the reason; fail in CI."""
    if shutil.which("ip") is None:
        lacking("the command ip (Debian: iproute2)")
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "true"],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if tried.returncode:
        lacking(f"to make network namespaces, as root may: {tried.stderr.strip()}")
