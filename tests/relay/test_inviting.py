"""Tokens that an evaluator's page gets for those whom it invites, by HTTP at a running relay."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import jwt
import pytest

from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.settings import Settings
from imgsync.relay.tokens import MAX_TOKEN, mint_token, sign_claims, token_reader
from tests.kit.relays import open_peer, open_running_relay

SECRET = b"0123456789abcdef0123456789abcdef"
READ = token_reader(SECRET)
SETTINGS = Settings(read_token=READ, sign_claims=partial(sign_claims, SECRET))

HOUR = 3600


def evaluator(**claims: Any) -> str:
    return mint_token(SECRET, Claims("dr-lee", Role.EVALUATOR, **claims), 60)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        open_running_relay(SETTINGS) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


async def ask(
    http: httpx.AsyncClient, token: str | None, user: str = "patient-7", seconds: object = HOUR
) -> httpx.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = await http.get(
        "/invite", params={"user": user, "seconds": str(seconds)}, headers=headers
    )
    # No proxy may keep it, and no page of another origin may read it.
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    return answer


async def test_who_may_invite_gets_a_token_of_a_client_of_its_own_group_for_the_time_asked_for(
    http: httpx.AsyncClient,
) -> None:
    before = time.time()
    answer = await ask(http, evaluator(invites=86400, group="ward 3"), "Zoë & Co")
    assert answer.status_code == 200
    told = answer.json()
    claims = READ(told["token"])
    assert claims == Claims("Zoë & Co", Role.CLIENT, group="ward 3")
    assert told["expiresAt"] == 1000 * claims.expires_at
    assert before + HOUR <= claims.expires_at <= time.time() + HOUR + 1
    port = http.base_url.port
    assert port is not None
    async with open_peer(port, "Zoë & Co", "client", token=told["token"]):
        pass  # it has registered


async def test_a_link_is_good_for_no_longer_than_the_evaluator_may_grant(
    http: httpx.AsyncClient,
) -> None:
    answer = await ask(http, evaluator(invites=60), seconds=7 * 86400)
    assert READ(answer.json()["token"]).expires_at <= time.time() + 61


async def test_one_whose_clients_are_named_invites_these_alone(http: httpx.AsyncClient) -> None:
    token = evaluator(invites=60, clients=frozenset({"carl"}))
    assert (await ask(http, token, "carl")).status_code == 200
    other = await ask(http, token, "cleo")
    assert other.status_code == 403
    assert other.text == "You can't invite cleo: your token does not let you see who that is.\n"


async def test_who_may_not_invite_is_refused_and_told_why(http: httpx.AsyncClient) -> None:
    client = mint_token(SECRET, Claims("carl", Role.CLIENT, invites=60), 60)
    forged = mint_token(SECRET[::-1], Claims("dr-lee", Role.EVALUATOR, invites=60), 60)
    expired = mint_token(SECRET, Claims("dr-lee", Role.EVALUATOR, invites=60), -1)
    refusals = {
        evaluator(): (403, "ask for one made with --invites"),
        client: (403, "ask for one made with --invites"),
        forged: (401, "not made with this relay's secret"),
        expired: (401, "the token has expired"),
        "x.y.z": (401, "the token is no JSON Web Token"),
        None: (401, "the token of an evaluator is missing"),
    }
    for token, (status, why) in refusals.items():
        answer = await ask(http, token)
        assert (answer.status_code, why in answer.text) == (status, True), answer.text
        assert "token" not in answer.headers.get("content-type", "")


@pytest.mark.parametrize(
    ("user", "seconds", "why"),
    [
        ("", HOUR, "it.user: expected 1 to 128 characters"),
        ("x" * 129, HOUR, "it.user: expected at most 128 characters"),
        ("a\nb", HOUR, "it.user: expected printable characters only"),
        ("p", 0, "it.seconds: expected a whole number"),
        ("p", -1, "it.seconds: expected a whole number"),
        ("p", "1e3", "it.seconds: expected a whole number"),
        ("p", "", "it.seconds: expected a whole number"),
        ("p", 10**9, "it.seconds: expected a whole number"),
    ],
)
async def test_what_invites_nobody_is_refused(
    http: httpx.AsyncClient, user: str, seconds: object, why: str
) -> None:
    answer = await ask(http, evaluator(invites=60), user, seconds)
    assert (answer.status_code, answer.text) == (400, f"This invites nobody ({why}).\n")


async def test_a_query_that_is_no_text_or_a_scheme_that_is_no_token_is_refused(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/invite?user=%ff&seconds=60")
    assert answer.status_code == 400
    answer = await http.get("/invite?user=a&seconds=60", headers={"authorization": "Basic eDp5"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    # In the query, where a log may have it, a token counts for nothing.
    token = evaluator(invites=60)
    answer = await http.get(f"/invite?user=a&seconds=60&token={token}")
    assert answer.status_code == 401


async def test_a_token_too_long_to_register_with_is_not_made(http: httpx.AsyncClient) -> None:
    claims = Claims("dr-lee", Role.EVALUATOR, group="😀" * 96, invites=60)
    answer = await ask(http, mint_token(SECRET, claims, 60), "😀" * 96)
    assert len(answer.json()["token"]) <= MAX_TOKEN


async def test_a_relay_that_asks_for_no_tokens_or_makes_none_says_so() -> None:
    async with (
        open_running_relay(Settings()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        answer = await ask(http, None)
        assert (answer.status_code, answer.json()) == (200, {"token": None, "expiresAt": None})
    async with (
        open_running_relay(Settings(read_token=READ)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        answer = await ask(http, evaluator(invites=60))
        assert (answer.status_code, answer.text) == (
            403,
            "You can't invite patient-7: this relay makes no tokens.\n",
        )


async def test_the_log_says_who_has_invited_whom_and_nothing_of_a_token(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "imgsync"):
        answer = await ask(http, evaluator(invites=60))
    [record] = [record for record in caplog.records if record.message == "invited"]
    said = record.__dict__
    assert (said["user"], said["peer"], said["remote"]) == ("dr-lee", "patient-7", "127.0.0.1")
    assert answer.json()["token"] not in str(said)


def test_a_token_of_other_software_may_say_for_how_long() -> None:
    whole = {"sub": "e", "role": "evaluator", "exp": int(time.time()) + 60}
    for invites in (60, 60.5):
        assert READ(jwt.encode({**whole, "invites": invites}, SECRET, "HS256")).invites == invites
    assert READ(jwt.encode(whole, SECRET, "HS256")).invites is None
