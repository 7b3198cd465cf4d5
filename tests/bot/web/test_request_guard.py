from __future__ import annotations

import asyncio
import base64
import re
from typing import TYPE_CHECKING

import aiohttp
import pytest
from pydantic import SecretStr
from yarl import URL

from bot.core.chat import ChatCannotStart
from bot.web import open_page
from bot.web import request_guard as guarding
from common.addresses import Address
from tests.bot.web.page import Page, history, opened_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


async def test_everything_carries_the_security_headers_and_nothing_from_elsewhere(
    page: Page, ann: aiohttp.ClientSession
) -> None:
    for path in ("/", "/healthz", "/page/chat.js", "/nothing", "/privacy"):
        async with ann.get(path) as response:
            headers = response.headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert "Access-Control-Allow-Origin" not in headers
            assert "Server" not in headers
    html = await (await ann.get("/")).text()
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", html) == []
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", html)


async def test_the_identity_cookie_is_out_of_reach_of_scripts_and_other_sites(page: Page) -> None:
    async with page.browser().get("/") as response:
        assert "Set-Cookie" not in response.headers
    async with page.browser().post("/hello") as response:
        cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_sites_page_cannot_act_here(page: Page, headers: dict[str, str]) -> None:
    async with page.browser().post("/hello", headers=headers) as response:
        assert response.status == 403
        assert "Set-Cookie" not in response.headers


async def test_a_request_that_changes_something_must_say_where_it_comes_from(page: Page) -> None:
    async with aiohttp.ClientSession(page.address) as bare, bare.post("/hello") as response:
        assert response.status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[broken"])
async def test_a_foreign_name_for_this_machine_is_refused(page: Page, host: str) -> None:
    """An attacker's name that resolves to 127.0.0.1 must not make their page this page (DNS rebinding)."""
    async with page.browser().get("/", headers={"Host": host}) as response:
        assert response.status in {400, 403}
    async with page.browser().get("/healthz", headers={"Host": "10.0.0.7:8080"}) as response:
        assert await response.text() == "alive\n"


async def test_coming_by_a_link_from_elsewhere_opens_the_page(page: Page) -> None:
    navigation = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with aiohttp.ClientSession(page.address, headers=navigation) as visitor:
        assert (await visitor.get("/")).status == 200
        assert (await visitor.get("/mydata")).status == 403


async def test_nobody_sees_or_corrects_what_somebody_else_was_told(page: Page, answered: int) -> None:
    bob = page.browser()
    assert (await history(bob))["entries"] == []
    for method, path in (
        ("GET", f"/songs/{answered}/timeline-dark.png"),
        ("DELETE", f"/songs/{answered}"),
        ("POST", f"/songs/{answered}/opinion"),
        ("DELETE", f"/songs/{answered}/opinion"),
        ("POST", "/songs/999999/opinion"),
    ):
        async with bob.request(method, path, json={} if method == "POST" else None) as response:
            assert response.status == 404, path


@pytest.mark.parametrize("name", ["..%2Fserver.py", "%2e%2e/server.py", "index.html", "chat.js%00.css", "x"])
async def test_only_the_pages_own_files_are_served(page: Page, name: str) -> None:
    async with page.browser().get(URL(f"{page.address}/page/{name}", encoded=True)) as response:
        assert response.status == 404


@pytest.mark.parametrize("body", ["", "[]", "null", "{", "x" * 100_000])
async def test_nonsense_is_refused_without_a_trace(ann: aiohttp.ClientSession, body: str) -> None:
    async with ann.post("/consent", data=body) as response:
        assert response.status in {400, 413}
        assert "Traceback" not in await response.text()


async def test_an_unknown_or_forged_identity_is_asked_to_say_hello(page: Page) -> None:
    for forged in ("", "short", "x" * 200, "a b;c" * 8):
        async with page.browser(Cookie=f"listener={forged}").get("/privacy") as response:
            assert response.status == 401


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def test_with_a_password_nobody_gets_in_without_it(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "WRONG_PASSWORD_SECONDS", 0)
    locked = settings.model_copy(update={"local_chat_password": SecretStr("mở cửa ra")})
    async with opened_page(storage, keys, locked, ear) as page:
        async with page.browser().get("/") as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Basic ")
        async with page.browser().get("/healthz") as response:
            assert response.status == 200
        wrong = [_basic("me", "wrong"), _basic("mở cửa ra", ""), "Basic", "Basic %%%", "Bearer x", "Basic " + "A" * 400]
        for authorization in wrong:
            async with page.browser().get("/", headers={"Authorization": authorization}) as response:
                assert response.status == 401
        right = {
            "Authorization": _basic("anybody", "mở cửa ra"),
            "Host": "music.example",
            "Origin": "https://music.example",
        }
        async with page.browser().get("/", headers=right) as response:
            assert response.status == 200


async def test_guessing_passwords_is_slow_however_many_guess_at_once(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "WRONG_PASSWORDS_WAITING", 2)
    locked = settings.model_copy(update={"local_chat_password": SecretStr("open sesame")})
    async with opened_page(storage, keys, locked, ear) as page:
        browser = page.browser(Authorization=_basic("me", "wrong"))
        answers = await asyncio.gather(*(browser.get("/") for _ in range(6)))
        assert sorted(answer.status for answer in answers) == [401, 401, 429, 429, 429, 429]


async def test_a_taken_port_is_named_and_not_a_crash(page: Page, settings: Settings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "other"})
    second = open_page(elsewhere, page.bot.conversation, Address("127.0.0.1", page.chat.port))
    with pytest.raises(ChatCannotStart, match="LOCAL_CHAT"):
        await second.start()


async def _spoken(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Send bytes as they are, and return the head and the body of what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: 1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"403"),
        (b"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", b"403"),
        (b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
async def test_odd_requests_are_answered_with_the_same_headers_and_no_version(
    page: Page, request_bytes: bytes, status: bytes
) -> None:
    head, _ = await _spoken(page.chat.port, request_bytes)
    assert head.split()[1] == status
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"\r\nServer:" not in head
    assert b"aiohttp" not in head.lower()


@pytest.mark.parametrize("path", ["/songs", "/links"])
async def test_a_body_that_only_claims_to_be_compressed_is_refused_in_our_words(
    ann: aiohttp.ClientSession, path: str
) -> None:
    headers = {"Content-Encoding": "gzip"}
    async with ann.post(path, data=b"this is no gzip", headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "What arrived here is damaged. Please send it again."


@pytest.mark.parametrize("characters", [3000, 6000, 60_000])
async def test_a_link_that_is_too_long_is_told_as_such(ann: aiohttp.ClientSession, characters: int) -> None:
    link = "https://example.org/" + "x" * characters
    async with ann.post("/links", json={"link": link}) as response:
        assert response.status == 422
        assert (await response.json())["error"].startswith("This link is too long.")
