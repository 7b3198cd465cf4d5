from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fluent.syntax import ast
from fluent.syntax.visitor import Visitor
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot.core.localization import (
    LANGUAGES,
    Language,
    clock,
    language_of,
    percent,
    preferred_language,
    resource,
    translate,
)
from common.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

BOT = Path(bot.__file__).parent


class _Variables(Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - as the visitor calls it
        self.names.add(node.id.name)


def _variables(pattern: ast.Pattern | None) -> set[str]:
    found = _Variables()
    if pattern is not None:
        found.visit(pattern)
    return found.names


def _messages(language: Language) -> dict[str, set[str]]:
    messages = {}
    for entry in resource(language).body:
        if isinstance(entry, ast.Message):
            messages[entry.id.name] = _variables(entry.value)
            for attribute in entry.attributes:
                messages[f"{entry.id.name}.{attribute.id.name}"] = _variables(attribute.value)
    return messages


def _errors(kind: type[UserError]) -> Iterator[type[UserError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _errors(below)


for module in ("bot.api.errors", "bot.core.errors", "bot.telegram.limits", "links.errors", "storage.errors"):
    import_module(module)  # whatever other tests import
ERRORS = [*_errors(UserError)]


def test_both_languages_have_the_same_messages_with_the_same_variables() -> None:
    english, vietnamese = _messages("en"), _messages("vi")
    assert english == vietnamese


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_there_twice(language: Language) -> None:
    names = [entry.id.name for entry in resource(language).body if isinstance(entry, ast.Message)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_go_wrong_has_its_sentence(language: Language, kind: type[UserError]) -> None:
    placeholders = set(re.findall(r"\{(\w+)", kind.sentence))
    assert _messages(language)[f"error-{kind.code}"] == placeholders
    assert translate(language, f"error-{kind.code}", **dict.fromkeys(placeholders, 3))


def test_every_message_that_the_bot_names_exists_and_every_message_is_named_somewhere() -> None:
    """Names that are put together at run time are covered by the word they begin with."""
    sources = [path.read_text(encoding="utf-8") for path in [*BOT.rglob("*.py"), *BOT.rglob("*.html")]]
    source = "\n".join(sources)
    put_together = (
        *("answer-", "kind-", "tag-", "expert-", "error-", "progress-", "correction-", "consent-", "privacy-consent-"),
        *("review-", "command-", "slash-", "option-", "choice-", "readiness-", "retraining-", "desk-"),
    )
    known = {name for name in _messages("en") if "." not in name}
    unused = {name for name in known if name not in source and not name.startswith(put_together)}
    assert unused == set()
    named = set(re.findall(r"translate\(\s*(?:language, )?\"([a-z0-9-]+)\"", source)) | set(
        re.findall(r"\{\{((?:page|button|forget)-[a-z0-9-]+)\}\}", source)
    )
    assert named - known == set()


def test_a_missing_message_or_placeholder_is_an_error_and_not_shown_to_people() -> None:
    with pytest.raises(LookupError):
        translate("en", "no-such-message")
    with pytest.raises(LookupError):
        translate("en", "error-too-short")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("vi", "vi"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("fr-FR,fr;q=0.9,vi;q=0.5,en;q=0.4", "vi"),
        ("en;q=0.1, vi;q=0.2", "vi"),
        ("vi;q=0, en", "en"),
        ("vi;q=nonsense", "en"),
        ("de", "en"),
    ],
)
def test_the_language_is_the_one_that_a_browser_prefers(header: str | None, language: Language) -> None:
    assert preferred_language(header) == language


@given(st.text(max_size=80))
def test_any_accept_language_header_gives_a_language(header: str) -> None:
    assert preferred_language(header) in LANGUAGES


@given(st.text(max_size=12))
def test_any_tag_gives_a_language_or_none(tag: str) -> None:
    assert language_of(tag) in {None, *LANGUAGES}


def test_vietnamese_counts_and_english_counts() -> None:
    assert translate("en", "answer-length", length="0:30", segments=1) == "0:30 of music in one part."
    assert translate("en", "answer-length", length="3:00", segments=6) == "3:00 of music in 6 parts."
    assert translate("vi", "answer-length", length="3:00", segments=6) == "Bài dài 3:00, mình nghe thành 6 đoạn."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.4, "0:59"), (60, "1:00"), (3599, "59:59"), (3600, "1:00:00")]
)
def test_times_read_like_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_list_is_told_whole(language: Language) -> None:
    channels = ", ".join(f"<#{10**18 + number}>" for number in range(50))
    assert channels in translate(language, "settings-listening", channels=channels)


@given(st.floats(0, 1))
def test_a_percentage_never_claims_certainty(probability: float) -> None:
    assert 1 <= percent(probability) <= 99
