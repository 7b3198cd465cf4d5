"""No address inside the house is ever connected to: enforced in the child process, where every connection is made.

An audit hook sees each one, whichever library asks for it, and cannot be taken out again. The address that it judges is
the very one that the kernel is given, so that a name which resolves differently the next time changes nothing.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

OPEN_PORTS: Final = frozenset({80, 443})
LOWEST_FREE_PORT: Final = 1024
"""Below it, mail and the like would take a request for orders."""

# After the special-purpose registries of IANA (RFC 6890 and later), with what clouds keep for their own services.
_INSIDE: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, on a public address
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_PUBLIC_6: Final = ipaddress.IPv6Network("2000::/3")
_INSIDE_6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # among them Teredo, which leads to any IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4, likewise
        "3fff::/20",
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Where networks without IPv4 find the rest of the world; the IPv4 address stands in the last 32 bits."""

_NEVER: Final = frozenset(
    {
        "ctypes.dlopen",
        "ctypes.dlsym",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "socket.sendto",
    }
)
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def is_public(address: str) -> bool:
    """Whether an IP address, in its usual notation, lies outside: everything else, and every name, does not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
        return ip.scope_id is None and ip in _PUBLIC_6 and not any(ip in network for network in _INSIDE_6)
    return not any(ip in network for network in _INSIDE)


class Refused(PermissionError):
    """The guard does not let a library do this."""


class SandboxGuard:
    """What a child process may do from now on.

    Parameters
    ----------
    folder
        The only place where files may be written.
    programs
        Names of the programs that may be run, each with whether it may be with these arguments.
    on_inside
        Called when something tries to connect to an inside address; it should end the process.
    proxy
        Addresses and ports of the operator's proxy: then nothing else is connected to. Empty where there is none.
    """

    def __init__(
        self,
        folder: Path,
        programs: Mapping[str, Callable[[Sequence[str]], bool]],
        on_inside: Callable[[], None],
        proxy: Collection[tuple[str, int]] = (),
    ) -> None:
        self._folder = os.path.realpath(folder)
        self._programs = dict(programs)
        self._on_inside = on_inside
        self._proxy = frozenset(proxy)
        self._probes = {family: _probe(family) for family in (socket.AF_INET, socket.AF_INET6)}

    def arm(self) -> None:
        """Begin to guard; there is no way back."""
        watched: dict[str, Callable[..., None]] = {
            "open": self._check_open,
            "socket.__new__": self._check_socket,
            "socket.connect": self._check_connect,
            "socket.sendmsg": self._check_sendmsg,
            "subprocess.Popen": self._check_program,
        }

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            check = watched.get(event)
            if check is not None:
                check(*arguments)
            elif event in _NEVER:
                raise Refused(event)

        sys.addaudithook(hook)

    def _check_connect(self, connecting: socket.socket, address: object) -> None:
        if any(connecting is probe for probe in self._probes.values()):
            return
        host, port = address[:2] if isinstance(address, tuple) and len(address) >= 2 else (None, None)
        # A name would be resolved only after this judgement, so it is none that could be judged.
        if type(host) is not str or type(port) is not int:
            self._refuse()
        elif self._proxy:
            if (host, port) not in self._proxy:
                raise Refused("everything goes through the proxy")
        elif not is_public(host) or self._is_own(host):
            self._refuse()
        elif port not in OPEN_PORTS and port < LOWEST_FREE_PORT:
            raise Refused("such a port is no web server's")

    def _refuse(self) -> None:
        self._on_inside()
        raise Refused("an inside address")

    def _is_own(self, host: str) -> bool:
        """Whether a public address is this machine's: what a firewall keeps from others is within its own reach."""
        probe = self._probes[socket.AF_INET6 if ":" in host else socket.AF_INET]
        if probe is None:
            return False
        try:
            # Nothing is sent: the kernel only chooses a way, and to its own addresses it goes from the same address.
            probe.connect((host, LOWEST_FREE_PORT))
            own = probe.getsockname()[0]
        except OSError:
            return False
        return ipaddress.ip_address(own) == ipaddress.ip_address(host)

    @staticmethod
    def _check_socket(_: object, family: int, kind: int, *__: object) -> None:
        if family not in {socket.AF_INET, socket.AF_INET6} or kind & 0xF != socket.SOCK_STREAM:
            raise Refused("only TCP over IPv4 and IPv6")

    @staticmethod
    def _check_sendmsg(_: object, address: object) -> None:
        if address is not None:
            raise Refused("only what is connected")

    def _check_program(self, executable: object, arguments: object, *_: object) -> None:
        name = os.fsdecode(executable) if isinstance(executable, str | bytes | os.PathLike) else ""
        may_run = self._programs.get(Path(name).name)
        # One string would be a shell's to read.
        if may_run is None or not isinstance(arguments, list | tuple):
            raise Refused("no such program")
        if not may_run([os.fsdecode(argument) for argument in arguments[1:]]):
            raise Refused("not with such arguments")

    def _check_open(self, path: object, mode: object, flags: int) -> None:
        writes = flags & _WRITING or (isinstance(mode, str) and set(mode) & set("wax+"))
        if not writes or isinstance(path, int):
            return
        real = os.path.realpath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""
        if real != os.devnull and not real.startswith(self._folder + os.sep):
            raise Refused("files are written in the song's own folder only")


def _probe(family: int) -> socket.socket | None:
    try:
        return socket.socket(family, socket.SOCK_DGRAM)
    except OSError:  # a machine without IPv6
        return None
