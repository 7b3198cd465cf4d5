from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import bot
from bot.setting_values import Moderator
from bot.settings import Settings, WrongSettings, read_settings
from common.addresses import Address
from common.genres import load_genres
from storage.settings import read_settings as read_storage_settings


def test_without_any_setting_the_local_page_is_on_and_only_this_machine_reaches_it() -> None:
    settings = read_settings()
    assert settings.local_address == Address("127.0.0.1", 8080)
    assert settings.local_address.loopback
    assert settings.tokens == {}
    assert settings.training_sources == ("telegram", "local", "api")
    assert settings.database == "sqlite+aiosqlite:///data/songs.db"


def test_settings_come_from_the_environment_before_the_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("WORKERS=3\nMAX_MINUTES=20\n", encoding="utf-8")
    monkeypatch.setenv("WORKERS", "2")
    settings = read_settings()
    assert (settings.workers, settings.max_minutes) == (2, 20)


def test_settings_cannot_change_after_they_were_read() -> None:
    with pytest.raises(ValidationError):
        read_settings().workers = 9


def test_an_empty_setting_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "")
    monkeypatch.setenv("LOCAL_CHAT", "")
    assert read_settings() == Settings()


def test_the_local_page_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_CHAT", "off")
    assert read_settings().local_address is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9000", Address("127.0.0.1", 9000)),
        ("9000", Address("127.0.0.1", 9000)),
        ("localhost:9000", Address("localhost", 9000)),
        ("[::1]:9000", Address("::1", 9000)),
    ],
)
def test_the_local_page_listens_where_it_is_told(monkeypatch: pytest.MonkeyPatch, text: str, address: Address) -> None:
    monkeypatch.setenv("LOCAL_CHAT", text)
    assert read_settings().local_address == address


@pytest.mark.parametrize("public", ["0.0.0.0:8080", "192.168.1.5:8080", "[::]:8080", "music.example.org:8080"])
def test_a_public_address_needs_a_password(monkeypatch: pytest.MonkeyPatch, public: str) -> None:
    monkeypatch.setenv("LOCAL_CHAT", public)
    with pytest.raises(WrongSettings, match="LOCAL_CHAT_PASSWORD"):
        read_settings()
    monkeypatch.setenv("LOCAL_CHAT_PASSWORD", "long enough")
    assert read_settings().local_address is not None


def test_every_wrong_setting_is_named_at_once_and_no_secret_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "LOCAL_CHAT": "0.0.0.0:8080",
        "WORKERS": "many",
        "MAX_MINUTES": "-1",
        "MAX_MEGABYTES": "0",
        "SONGS_PER_PERSON_QUEUED": "0",
        "MODERATORS": "ann",
        "LINK_HOSTS": "not a host",
        "TRAINING_SOURCES": "telegram,radio",
        "DATABASE_URL": "mysql://x",
        "EXECUTOR_URL": "http://x",
        "TELEGRAM_API_URL": "file://localhost/etc/passwd",
        "LOG_FORMAT": "xml",
        "SECRET_KEY": "hush",
        "DISCORD_TOKEN": "hush hush",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as caught:
        read_settings()
    assert {problem.partition(":")[0] for problem in caught.value.problems} == set(wrong)
    assert "hush" not in str(caught.value)


def test_a_misspelt_setting_in_the_env_file_is_named() -> None:
    Path(".env").write_text("WORKRES=3\n", encoding="utf-8")
    with pytest.raises(WrongSettings, match="WORKRES: there is no such setting"):
        read_settings()


def test_moderators_hosts_and_sources_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODERATORS", "discord:12, telegram:34")
    monkeypatch.setenv("LINK_HOSTS", "Example.org,soundcloud.com")
    monkeypatch.setenv("TRAINING_SOURCES", "local")
    settings = read_settings()
    assert settings.moderators == (Moderator("discord", "12"), Moderator("telegram", "34"))
    assert settings.link_hosts == ("example.org", "soundcloud.com")
    assert settings.training_sources == ("local",)


@pytest.mark.parametrize(
    ("given", "community", "agreement"),
    [
        ({}, "private", 1),
        ({"LOCAL_CHAT_PASSWORD": "long enough"}, "group", 2),
        ({"LOCAL_CHAT": "0.0.0.0:8080", "LOCAL_CHAT_PASSWORD": "long enough"}, "group", 2),
        ({"TELEGRAM_TOKEN": f"1:{'a' * 30}"}, "public", 2),
        ({"TELEGRAM_TOKEN": f"1:{'a' * 30}", "COMMUNITY": "group", "FEEDBACK_AGREEMENT": "3"}, "group", 3),
    ],
)
def test_who_uses_the_bot_says_how_many_must_agree_the_same_to_the_bot_and_to_storage(
    given: dict[str, str], community: str, agreement: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    for settings in (read_settings(), read_storage_settings()):
        assert (settings.used_by, settings.agreement) == (community, agreement)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_postgresql_address_is_taken_as_hosts_hand_it_out(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:word@db:5432/songs")
    assert read_settings().database == "postgresql+asyncpg://user:word@db:5432/songs"


def test_secrets_are_not_shown_by_the_settings_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a very secret key indeed")
    monkeypatch.setenv("LOCAL_CHAT_PASSWORD", "a very secret word")
    assert "very secret" not in repr(read_settings())


@given(st.text(max_size=40))
def test_any_text_for_an_address_is_an_address_or_a_named_problem(text: str) -> None:
    try:
        address = Settings(local_chat=text, local_chat_password="long enough").local_address  # type: ignore[arg-type]
    except ValidationError as error:
        address = None
        problems = error.errors()
    else:
        problems = []
    assert all(problem["loc"] == ("local_chat",) for problem in problems)
    assert address is None or 0 <= address.port < 65536


def test_the_example_file_names_every_setting_and_only_settings() -> None:
    example = (Path(bot.__file__).parents[1] / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^#([A-Z_]+)=", example, flags=re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_file_as_it_stands_changes_nothing() -> None:
    example = (Path(bot.__file__).parents[1] / ".env.example").read_text(encoding="utf-8")
    defaults = read_settings()
    uncommented = re.sub(r"^#([A-Z_]+=)", r"\1", example, flags=re.MULTILINE)
    Path(".env").write_text(uncommented, encoding="utf-8")
    same = read_settings()
    given = same.model_dump(exclude={"model_dir", "local_chat"})
    assert given == defaults.model_dump(exclude={"model_dir", "local_chat"})
    assert same.local_address == defaults.local_address


@pytest.mark.parametrize(("written", "shards"), [("3", (3,)), ("0, 2,3", (0, 2, 3)), ("4-6,0", (4, 5, 6, 0)), ("", ())])
def test_a_process_has_some_of_all_shards(
    monkeypatch: pytest.MonkeyPatch, written: str, shards: tuple[int, ...]
) -> None:
    monkeypatch.setenv("DISCORD_SHARD_COUNT", "8")
    monkeypatch.setenv("DISCORD_SHARDS", written)
    assert read_settings().discord_shards == shards


@pytest.mark.parametrize("written", ["8", "1,1", "2-4,3", "first", "-1"])
def test_shards_are_different_ones_of_those_that_there_are(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("DISCORD_SHARDS", written)
    with pytest.raises(WrongSettings, match="DISCORD_SHARDS"):
        read_settings()
    monkeypatch.setenv("DISCORD_SHARD_COUNT", "8")
    with pytest.raises(WrongSettings, match="DISCORD_SHARDS"):
        read_settings()


def test_a_closed_cluster_takes_three_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("here.pem").touch()
    monkeypatch.setenv("EXECUTOR_URL", "tls://scheduler:8786")
    names = ("EXECUTOR_CA", "EXECUTOR_CERTIFICATE", "EXECUTOR_KEY")
    for name in names:
        with pytest.raises(WrongSettings, match="belong together, and with a tls:// EXECUTOR_URL"):
            read_settings()
        monkeypatch.setenv(name, "nowhere.pem")
        with pytest.raises(WrongSettings, match=rf"{name}: nowhere\.pem is not a file"):
            read_settings()
        monkeypatch.setenv(name, "here.pem")
    assert read_settings().executor_key == Path("here.pem")
    monkeypatch.setenv("EXECUTOR_URL", "tcp://scheduler:8786")
    with pytest.raises(WrongSettings, match="belong together"):
        read_settings()


OWN_GENRE = """
[[genre]]
id = "boomfolk"
parent = "folk"
name_en = "Boom folk"
name_vi = "Boom folk"
about_en = "Folk songs with a kick drum."
about_vi = "Dân ca có trống kick."
"""


def test_genres_of_ones_own_are_known_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENRES_FILE", raising=False)
    Path("own.toml").write_text(OWN_GENRE, encoding="utf-8")
    Path(".env").write_text("GENRES_FILE=own.toml\n", encoding="utf-8")
    monkeypatch.setenv("GENRES_FILE", "own.toml")
    assert "boomfolk" in load_genres()
    read_settings()
    assert load_genres().family_of("boomfolk") == "folk"
    assert os.environ["GENRES_FILE"] == str(Path("own.toml").resolve()), "a process with another folder finds it too"


def test_genres_that_make_no_sense_are_refused_with_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own.toml").write_text(OWN_GENRE.replace("folk", "nobody"), encoding="utf-8")
    monkeypatch.setenv("GENRES_FILE", "own.toml")
    with pytest.raises(
        WrongSettings, match=r"GENRES_FILE: .*own\.toml: genre 'boomnobody': there is no family 'nobody'"
    ):
        read_settings()
