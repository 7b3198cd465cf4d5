"""Blocks connections to private addresses, and other dangerous calls, inside the fetch process.

A Python audit hook sees every connection, whichever library makes it, and cannot be removed. It checks the very address
that is passed to the kernel, so a host name that resolves differently the next time (DNS rebinding) changes nothing.
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
"""Services on lower ports, such as mail servers, could take an HTTP request for commands."""

# From IANA's special-purpose address registries (RFC 6890 and later), plus addresses of cloud-internal services.
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
"""NAT64 prefixes: the last 32 bits are the IPv4 address that is really reached."""

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
    """Tell whether a text is a public IP address in standard notation; host names are not."""
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
    """The guard blocked a call."""


class SandboxGuard:
    """Restricts what this process may do: connections, files, programs.

    Parameters
    ----------
    folder
        The only place where files may be written.
    programs
        Names of the programs that may be run, each with a check of its arguments.
    on_inside
        Called when something tries to connect to a private address; it should end the process.
    proxy
        Addresses and ports of the operator's proxy; if given, only they may be connected to.
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
        """Install the audit hook for the rest of this process's life."""
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
        # A host name would be resolved only after this check, so only addresses can be checked.
        if type(host) is not str or type(port) is not int:
            self._refuse()
        elif self._proxy:
            if (host, port) not in self._proxy:
                raise Refused("only the proxy may be connected to")
        elif not is_public(host) or self._is_own(host):
            self._refuse()
        elif port not in OPEN_PORTS and port < LOWEST_FREE_PORT:
            raise Refused("this port is not a web server's")

    def _refuse(self) -> None:
        self._on_inside()
        raise Refused("a private address")

    def _is_own(self, host: str) -> bool:
        """Tell whether a public address is this machine's own, where a firewall would not protect its services."""
        probe = self._probes[socket.AF_INET6 if ":" in host else socket.AF_INET]
        if probe is None:
            return False
        try:
            # Connecting a datagram socket sends nothing; for its own address the kernel picks the same one as source.
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
            raise Refused("only connected sockets may send")

    def _check_program(self, executable: object, arguments: object, *_: object) -> None:
        name = os.fsdecode(executable) if isinstance(executable, str | bytes | os.PathLike) else ""
        may_run = self._programs.get(Path(name).name)
        # A single string would be interpreted by a shell.
        if may_run is None or not isinstance(arguments, list | tuple):
            raise Refused("this program may not be run")
        if not may_run([os.fsdecode(argument) for argument in arguments[1:]]):
            raise Refused("this program may not be run with these arguments")

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
