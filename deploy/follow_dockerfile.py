"""Builds the Docker image in plain directories and tests the result, for machines without a Docker engine.

``sudo python -m deploy.follow_dockerfile WORKPLACE`` takes some minutes and 3 GB. Every RUN, COPY, ENV, WORKDIR and
USER of the Dockerfile is executed in a chroot on a bare Debian; the result is started as its own user, on a read-only
root, without a network, and has to answer a song. It does not check that the tag of the base image can be pulled, or
that the image's Python behaves like Debian's of the same version.
"""

# ruff: noqa: T201, S603, S607 - an operator's script: it prints, and runs the system's own programs as root

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.dockerfile import Instruction, read_stages

REPOSITORY: Final = Path(__file__).resolve().parents[1]
MIRROR: Final = "http://deb.debian.org/debian"
# The Debian packages of python:*-slim-bookworm, and Debian's own Python instead of the image's.
PACKAGES: Final = "python3,python3-pip,python3-venv,ca-certificates,netbase,tzdata"
SONG: Final = "bot/web/examples/late-train.opus"
KEPT_OUT: Final = shutil.ignore_patterns("__pycache__", "*.part")  # not copied, as in .dockerignore
READY: Final = 200
START_SECONDS: Final = 60.0
DRAIN_SECONDS: Final = 30.0
# As in compose.yaml.
MOUNTS: Final = """
set -e
mount --make-rprivate /
mount --bind {root} {root}
mount --bind {data} {root}/data
mount -o remount,bind,ro {root}
mount -t tmpfs -o size=64m,mode=1777 tmpfs {root}/tmp
mount -t tmpfs -o mode=755 tmpfs {root}/dev
mkdir -m 1777 {root}/dev/shm
for node in null zero full random urandom; do touch {root}/dev/$node; mount --bind /dev/$node {root}/dev/$node; done
mount -t proc proc {root}/proc
ip link set lo up
"""


@dataclass
class Image:
    """The state of a stage during the build: root directory, environment, working directory and user."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def settings(self) -> list[str]:
        """Return the environment as arguments for ``env``."""
        base = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}
        return [f"{name}={value}" for name, value in (base | self.env).items()]


class ImageBuilder:
    """Builds stages, each once, in directories below ``workplace``.

    Parameters
    ----------
    workplace, dockerfile
        The directory to build in, and the file to build.
    again
        Whether stages that an earlier run built are reused.
    """

    def __init__(self, workplace: Path, dockerfile: Path, *, again: bool) -> None:
        self._workplace = workplace
        self._again = again
        self._stages = read_stages(dockerfile.read_text(encoding="utf-8"))
        self._built: dict[str, Image] = {}

    def build(self, name: str) -> Image:
        """Build a stage and the stages that it depends on."""
        if name in self._built:
            return self._built[name]
        stage = self._stages[name]
        root = self._workplace / "stages" / name
        standing = self._again and root.exists()
        root.parent.mkdir(parents=True, exist_ok=True)
        if stage.base in self._stages:
            below = self.build(stage.base)
            image = Image(root, dict(below.env), below.workdir, below.user)
        else:
            below = Image(self._bare_debian(stage.base))
            image = Image(root)
        if not standing:
            shutil.rmtree(root, ignore_errors=True)
            _run("cp", "--archive", "--reflink=auto", str(below.root), str(root))
        for instruction in stage.instructions:
            if standing and instruction.name in {"RUN", "COPY"}:
                continue
            print(f"{name}: {instruction.name} {instruction.rest}", flush=True)
            self._follow(image, instruction)
        self._built[name] = image
        return image

    def _follow(self, image: Image, instruction: Instruction) -> None:
        words = instruction.words if instruction.name not in {"RUN", "HEALTHCHECK"} else []
        match instruction.name:
            case "RUN":
                _run_inside(image, instruction.rest)
            case "COPY":
                self._copy(image, instruction, words)
            case "ENV":
                for word in words:
                    name, _, value = word.partition("=")
                    image.env[name] = value.replace("$PATH", _path(image))
            case "WORKDIR":
                image.workdir = words[0]
                (image.root / words[0].lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "USER":
                image.user = words[0]
            case "CMD":
                image.command = words
            case "HEALTHCHECK":
                image.health = json.loads(instruction.rest[instruction.rest.index("[") :])

    def _copy(self, image: Image, instruction: Instruction, words: list[str]) -> None:
        *sources, target = words
        source_root = self.build(instruction.flags["from"]).root if "from" in instruction.flags else REPOSITORY
        place = image.root / os.path.join(image.workdir, target).lstrip("/")  # noqa: PTH118 - an absolute target wins
        for source in sources:
            path = source_root / source.lstrip("/")
            if path.is_dir() and source_root == REPOSITORY:
                shutil.copytree(path, place, symlinks=True, dirs_exist_ok=True, ignore=KEPT_OUT)
            elif path.is_dir():
                _run("cp", "--archive", "--no-target-directory", str(path), str(place))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)

    def _bare_debian(self, image: str) -> Path:
        """Return a directory with the base image's Debian, downloaded once."""
        match = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-(\w+)", image)
        if match is None:
            raise SystemExit(f"{image} is not a python:X.Y.Z-slim-RELEASE image")
        version, release = match.groups()
        root = self._workplace / release
        if not (root / "usr/local/bin/python").exists():
            shutil.rmtree(root, ignore_errors=True)
            _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(root), MIRROR)
            (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        found = _run("chroot", str(root), "python", "--version").split()[1]
        print(f"{image}: stood in for by Debian {release} with Python {found}")
        if not found.startswith(f"{version}."):
            raise SystemExit(f"{release} has Python {found}, the image {version}")
        return root


def _path(image: Image) -> str:
    return next(entry for entry in image.settings() if entry.startswith("PATH=")).removeprefix("PATH=")


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _run_inside(image: Image, line: str) -> None:
    """Run a line in the stage's shell, with this machine's network, name resolution and certificates."""
    # pip options that this machine needs (mirrors, proxies) do not become part of the image.
    lent = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    settings = [*image.settings(), *(f"{name}={value}" for name, value in lent.items())]
    shell = ["sh", "-ec", f"cd {image.workdir} && {line}"]
    inside = shlex.join(["chroot", str(image.root), "env", "-i", *settings, *shell])
    binds = "".join(
        f"touch {image.root}{path}; mount --bind {path} {image.root}{path}\n"
        for path in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
        if Path(path).exists()
    )
    script = f"set -e\nmount --make-rprivate /\n{binds}mount -t proc proc {image.root}/proc\nexec {inside}"
    subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", script], check=True)


class Container:
    """The built image, running as ``docker run --read-only --network none -v data:/data`` would have it."""

    def __init__(self, image: Image, data: Path, **settings: str) -> None:
        self._image = image
        user, _, group = image.user.partition(":")
        if 0 in (int(user), int(group)):
            raise SystemExit("the image would run as root")
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        os.chown(data, int(user), int(group))
        self._env = [*image.settings(), *(f"{name}={value}" for name, value in settings.items())]
        start = shlex.join(self._as_user(image.command))
        script = MOUNTS.format(root=image.root, data=data) + f"exec {start}"
        namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
        self._outside = subprocess.Popen(["unshare", *namespaces, "sh", "-c", script])
        self.pid = self._first_process()

    def _as_user(self, command: list[str]) -> list[str]:
        # setpriv runs after chroot, so no privileges remain and none can be regained.
        user, _, group = self._image.user.partition(":")
        dropped = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
        dropped += ["--bounding-set=-all", "--inh-caps=-all", "--"]
        within = ["sh", "-c", f'cd {self._image.workdir} && exec "$@"', "sh", *command]
        return ["chroot", str(self._image.root), "env", "-i", *self._env, *dropped, *within]

    def _first_process(self) -> int:
        """Return the process id, outside the container, of the image's command once it has started."""
        family = Path(f"/proc/{self._outside.pid}/task/{self._outside.pid}/children")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._outside.poll() is None:
            children = family.read_text(encoding="ascii").split()
            if children and Path(f"/proc/{children[0]}/root").resolve() == self._image.root:
                return int(children[0])
            time.sleep(0.02)
        raise SystemExit("the image's command did not start")

    def enter(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of this machine in the container's network."""
        inside = ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command]
        return subprocess.run(inside, check=check, capture_output=True, text=True)

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the image in the container, as its user."""
        inside = ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", *self._as_user(list(command))]
        return subprocess.run(inside, check=False, capture_output=True, text=True)

    def stop(self, number: signal.Signals) -> int:
        """Send a signal to the first process, and return its exit status."""
        os.kill(self.pid, number)
        return self._outside.wait(DRAIN_SECONDS)

    def kill(self) -> None:
        """Kill the container."""
        self._outside.kill()
        self._outside.wait()


def ask(container: Container, what: str, *arguments: str) -> Any:
    """Run ``deploy.visitor`` in the container's network and return its output."""
    environment = ["env", f"PYTHONPATH={REPOSITORY}"]
    done = container.enter(*environment, sys.executable, "-m", "deploy.visitor", what, *arguments, check=False)
    if done.returncode:
        raise SystemExit(f"{what}: {done.stderr}")
    return json.loads(done.stdout)


def try_out(image: Image, data: Path) -> dict[str, Any]:
    """Start the image, send it songs, inspect it, stop it; return the findings."""
    began = time.monotonic()
    container = Container(image, data, LOCAL_CHAT="127.0.0.1:8080", MAX_MINUTES="20")
    try:
        while ask(container, "status", "http://127.0.0.1:9090/readyz") != READY:
            if time.monotonic() - began > START_SECONDS:
                raise SystemExit("the bot is not ready")
            time.sleep(0.1)
        found: dict[str, Any] = {"ready after seconds": round(time.monotonic() - began, 1)}
        found["answer"] = ask(container, "song", "http://127.0.0.1:8080", str(REPOSITORY / SONG))
        found["health check"] = container.execute(*image.health).returncode
        found["deno"] = container.execute("deno", "--version").stdout.split("\n")[0]
        found["who"] = container.execute("id").stdout.strip()
        found["root can be written"] = container.execute("touch", "/app/mark", "/etc/mark").returncode == 0
        found["ffmpeg"] = container.execute("sh", "-c", "command -v ffmpeg || echo none").stdout.strip()
        found["kept in /data"] = sorted(path.name for path in data.iterdir())
        # One more song is being processed when the signal arrives.
        found["left waiting"] = ask(container, "send", "http://127.0.0.1:8080", str(REPOSITORY / SONG))["state"]
        stopping = time.monotonic()
        found["exit status after SIGTERM"] = container.stop(signal.SIGTERM)
        found["drained in seconds"] = round(time.monotonic() - stopping, 1)
    finally:
        container.kill()
    return found


def main() -> int:
    """Build the bot's image and test it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.follow_dockerfile", description=__doc__)
    parser.add_argument("workplace", type=Path, help="an empty folder, or one of an earlier run")
    parser.add_argument("--target", default="bot", help="stage to build (default: %(default)s)")
    parser.add_argument("--only-build", action="store_true", help="do not start it")
    parser.add_argument("--again", action="store_true", help="start what an earlier run has built")
    asked = parser.parse_args()
    if os.geteuid():
        parser.error("only root can make a chroot and namespaces")
    asked.workplace.mkdir(parents=True, exist_ok=True)
    workplace = asked.workplace.resolve()
    image = ImageBuilder(workplace, REPOSITORY / "Dockerfile", again=asked.again).build(asked.target)
    sizes = {
        "image": _run("du", "-sm", str(image.root)),
        "packages": _run("du", "-sm", f"{image.root}/opt/venv"),
        "code and release": _run("du", "-sm", f"{image.root}/app"),
    }
    print(json.dumps({name: f"{size.split()[0]} MiB" for name, size in sizes.items()}, indent=2))
    if not asked.only_build:
        print(json.dumps(try_out(image, workplace / "data"), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
