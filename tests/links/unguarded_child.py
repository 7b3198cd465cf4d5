"""The child process without its guard, to prove that the canaries would be hit."""

from __future__ import annotations

from unittest import mock

from tests.links import generic_child


def run() -> None:
    with mock.patch("links.guard.SandboxGuard.arm"), mock.patch("links.ytdlp_runner.is_outside", return_value=True):
        generic_child.run()


if __name__ == "__main__":
    run()
