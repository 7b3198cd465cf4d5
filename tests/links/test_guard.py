"""What a process can still do once the guard is installed; each test uses its own process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

ARMED = """
import ctypes, os, socket, subprocess, sys
from pathlib import Path
from links.guard import SandboxGuard
listener = socket.create_server(("127.0.0.1", 0))
plain = socket.socket()
programs = {"true": lambda arguments: "-x" not in arguments}
SandboxGuard(Path.cwd(), programs, lambda: print("inside", flush=True), proxy=PROXY).arm()
"""
REFUSED = {
    "a connection": "plain.connect(listener.getsockname())",
    "a connection that returns its error": "plain.connect_ex(listener.getsockname())",
    "a name in place of an address": "plain.connect(('localhost', listener.getsockname()[1]))",
    "create_connection": "socket.create_connection(listener.getsockname())",
    "the class below": "import _socket; _socket.socket.connect(plain, listener.getsockname())",
    "an address as bytes": "plain.connect((b'127.0.0.1', 80))",
    "another's datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "a unix socket": "socket.socket(socket.AF_UNIX)",
    "a pair of unix sockets": "socket.socketpair()",
    "a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW)",
    "sendto": "plain.sendto(b'', listener.getsockname())",
    "a mail server's port": "plain.connect(('1.1.1.1', 25))",
    "listening": "plain.bind(('127.0.0.1', 0))",
    "a program": "subprocess.run(['id'])",
    "a program with more rights": "subprocess.run(['true', '-x'])",
    "a shell": "subprocess.run('true', shell=True)",
    "system": "os.system('id')",
    "exec": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "native code": "ctypes.CDLL('libc.so.6')",
    "a file elsewhere": "open('/tmp/elsewhere', 'w')",
    "a file above": "open('../elsewhere', 'x')",
    "a file by number": "os.open('/tmp/elsewhere', os.O_CREAT)",
}
ALLOWED = {
    "a file of its own": "open('song', 'wb').write(b'')",
    "reading": "open('/proc/self/stat').read()",
    "throwing away": "open(os.devnull, 'w').write('')",
    "its program": "subprocess.run(['true'], check=True)",
}


def run(code: str, folder: Path, proxy: str = "()") -> str:
    told = subprocess.run(
        [sys.executable, "-c", ARMED.replace("PROXY", proxy) + code],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout + told.stderr


@pytest.mark.parametrize("name", REFUSED)
def test_the_guard_refuses(name: str, tmp_path: Path) -> None:
    assert "Refused" in run(REFUSED[name], tmp_path)


@pytest.mark.parametrize("name", ALLOWED)
def test_the_guard_allows(name: str, tmp_path: Path) -> None:
    assert run(ALLOWED[name], tmp_path) == ""


def test_an_inside_address_is_reported_before_it_is_refused(tmp_path: Path) -> None:
    assert run(REFUSED["a connection"], tmp_path).startswith("inside\n")


def test_with_a_proxy_nothing_else_is_connected_to(tmp_path: Path) -> None:
    proxy = "[listener.getsockname()]"
    assert run("plain.connect(listener.getsockname())", tmp_path, proxy) == ""
    assert "only the proxy may be connected to" in run("plain.connect(('1.1.1.1', 443))", tmp_path, proxy)
