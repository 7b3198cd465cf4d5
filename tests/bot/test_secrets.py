"""What must stay between the operator and the bot: never in another process, a log, an error or an argument."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.core.identity import IdHasher, Person
from bot.logging import JsonFormatter, set_up_logging
from bot.settings import Settings, WrongSettings, forget_secrets, read_settings
from storage import Storage
from storage.settings import read_settings as read_storage_settings
from tests.bot.process import REPOSITORY, BotProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = {
    "SECRET_KEY": "a-key-of-more-than-sixteen-letters",
    "LOCAL_CHAT_PASSWORD": "a-password-of-the-page",
    "LINK_PROXY": "http://somebody:a-password-of-the-proxy@proxy.example:3128",
}
HIDDEN = [*SECRETS.values(), "a-password-of-the-proxy"]
TOKENS = {"DISCORD_TOKEN": "discord." + "x" * 30, "TELEGRAM_TOKEN": "123456:" + "y" * 30}


def below(number: int) -> list[int]:
    """Return the numbers of all processes that a process has started, theirs included."""
    found = []
    for task in Path(f"/proc/{number}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *below(int(child))]
    return found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[BotProcess]:
    process = BotProcess(tmp_path, **SECRETS)
    yield process.start()
    process.kill()


def test_no_process_that_the_bot_starts_knows_a_secret(running: BotProcess) -> None:
    assert running._process is not None
    own = Path(f"/proc/{running._process.pid}/environ").read_bytes().decode()
    assert "LOCAL_CHAT_PASSWORD=\0" in own
    assert not [secret for secret in HIDDEN if secret in own]
    children = below(running._process.pid)
    assert children
    for number in children:
        for place in ("environ", "cmdline"):
            text = Path(f"/proc/{number}/{place}").read_bytes().decode("utf-8", "replace")
            assert not [secret for secret in HIDDEN if secret in text]
    assert not [secret for secret in HIDDEN if secret in running.log]
    arguments = Path(f"/proc/{running._process.pid}/cmdline").read_text()
    assert not [secret for secret in HIDDEN if secret in arguments]


def test_secrets_leave_the_environment_once_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**SECRETS, **TOKENS, "database_url": "postgresql://somebody:word@host/name", "MAX_MINUTES": "7"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    forget_secrets()
    told = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ)"], capture_output=True, text=True, check=True
    )
    assert not [value for name, value in given.items() if value in told.stdout and name != "MAX_MINUTES"]
    assert os.environ["MAX_MINUTES"] == "7"
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == SECRETS["SECRET_KEY"]


def test_secrets_may_stand_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {**SECRETS, **TOKENS, "DATABASE_URL": "postgresql+asyncpg://somebody:word@host/name"}
    for name, value in given.items():
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    settings = read_settings()
    read = {name: getattr(settings, name.lower()) for name in given}
    assert {name: getattr(each, "get_secret_value", lambda each=each: each)() for name, each in read.items()} == given
    assert read_storage_settings().database == given["DATABASE_URL"]


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (None, {}, "TELEGRAM_TOKEN_FILE: the file cannot be read: No such file or directory"),
        ("", {}, "TELEGRAM_TOKEN_FILE: the file is empty"),
        ("pass-w", {}, "TELEGRAM_TOKEN: is not a whole token"),
        (TOKENS["TELEGRAM_TOKEN"], TOKENS, "TELEGRAM_TOKEN: set it or TELEGRAM_TOKEN_FILE, not both"),
    ],
)
def test_a_file_without_its_secret_is_named_but_not_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, more: dict[str, str], said: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    for name, value in ({"TELEGRAM_TOKEN_FILE": str(path)} | more).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as refused:
        read_settings()
    assert said in str(refused.value)
    assert not content or content not in str(refused.value)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_tells_a_secret_even_in_a_traceback(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(
        secret_key=SecretStr(SECRETS["SECRET_KEY"]),
        telegram_token=SecretStr(TOKENS["TELEGRAM_TOKEN"]),
        link_proxy=SecretStr(SECRETS["LINK_PROXY"]),
        database_url="postgresql+asyncpg://somebody:a-word-of-the-database@host/name",
        log_format="json" if form == "json" else "text",
    )
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up_logging(settings)
        try:
            raise ValueError(f"https://api.telegram.org/bot{TOKENS['TELEGRAM_TOKEN']}/getMe")
        except ValueError:
            log = logging.getLogger("bot.tests")
            log.exception("to %s by %s", settings.database, "http://somebody:a-password-of-the-proxy@elsewhere/")
        told = capsys.readouterr().err
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert "getMe" in told
    hidden = [*HIDDEN, TOKENS["TELEGRAM_TOKEN"], "a-word-of-the-database"]
    assert not [secret for secret in hidden if secret in told]


def test_json_logs_stay_json_whatever_is_masked() -> None:
    record = logging.makeLogRecord({"msg": 'a "secret"', "levelname": "INFO", "name": "x"})
    assert json.loads(JsonFormatter(['"secret"']).format(record))["message"] == "a •••"


@pytest.mark.parametrize("name", [*SECRETS, *TOKENS])
def test_a_wrong_secret_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wrong = {"SECRET_KEY": "short-key", "LOCAL_CHAT_PASSWORD": "pass-w"}.get(name, "no such thing: pass-w")
    monkeypatch.setenv(name, wrong)
    with pytest.raises(WrongSettings) as refused:
        read_settings()
    assert name in str(refused.value)
    assert wrong not in str(refused.value)


async def test_a_person_is_nowhere_in_the_database_by_their_platforms_id(tmp_path: Path) -> None:
    path, keys = tmp_path / "songs.db", IdHasher(b"a key that only the tests know")
    somebody = keys.person(Person("telegram", "123456789012"))
    async with await Storage.open(f"sqlite:///{path}") as storage:
        await storage.people.set_language(somebody, "vi")
        await storage.people.set_consent(somebody, True)
        await storage.labels.propose("a new one", somebody)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())  # noqa: ASYNC240 - a test may block
    assert somebody.encode() in kept
    assert b"123456789012" not in kept
    assert b"a key that only the tests know" not in kept
    assert keys.person(Person("telegram", "123456789012")) == somebody
    assert IdHasher(b"another key, as long as that").person(Person("telegram", "123456789012")) != somebody


def test_nothing_in_the_repository_looks_like_a_token() -> None:
    shape = re.compile(
        rb"(?<![\w:])\d{8,10}:AA[\w-]{33}(?!\w)|(?<![\w.])[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])"
    )
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.toml", "*.ftl", ".env.example"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    for name in listed.stdout.split():
        assert shape.search((REPOSITORY / name).read_bytes()) is None, name


@pytest.mark.parametrize("path", ["nowhere", "\udce9", "x" * 5000])
def test_a_file_that_is_not_there_is_told_whatever_its_name(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("LINK_COOKIES", path)
    with pytest.raises(WrongSettings, match=r"LINK_COOKIES: .* is not a file"):
        read_settings()
