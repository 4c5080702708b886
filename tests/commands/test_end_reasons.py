"""What the commands print of a session's end, and exit with, for each reason."""

from __future__ import annotations

import json
import re
from functools import partial

from imgsync.core.protocol.signalling import PEER_REASONS, EndReason
from tests.kit.command_lines import END_S, HERE, client, evaluator
from tests.kit.forks import open_fork
from tests.kit.processes import JSON, SAMPLES, Outcome, run_together
from tests.kit.raw_peers import open_raw

DETAIL = "the client's TURN server refused the credentials (401)"

ENDS = [(reason, None if reason is EndReason.ENDED else DETAIL) for reason in PEER_REASONS]


def words_of(reason: EndReason, detail: str | None) -> str:
    return f"{reason.sentence} ({detail})" if detail else reason.sentence


def ended_in(outcome: Outcome) -> JSON:
    [ended] = [found for found in map(json.loads, outcome.lines) if found["event"] == "ended"]
    return dict(ended)


async def test_an_evaluator_prints_why_its_client_has_ended_it_in_prose_and_in_json(
    relay_url: str,
) -> None:
    async def converse(user: str, reason: EndReason, detail: str | None, as_json: bool) -> Outcome:
        form = ("--json",) if as_json else ()
        show = evaluator(relay_url, user, *HERE, *form, str(SAMPLES))
        async with open_raw(relay_url, "client", user) as raw, open_fork("evaluator", *show) as it:
            session = (await raw.wait_event("session_started"))["sessionId"]
            raw.say("end_session", sessionId=session, reason=reason.value, detail=detail)
            return await it.wait_outcome(END_S)

    names = {
        f"told-{n}-{as_json}": (*end, as_json)
        for n, end in enumerate(ENDS)
        for as_json in (False, True)
    }
    found = await run_together({name: partial(converse, name, *how) for name, how in names.items()})
    for name, (reason, detail, as_json) in names.items():
        said = words_of(reason, detail)
        outcome = found[name]
        assert (outcome.code, len(outcome.errors)) == (1, 1), name
        assert outcome.errors[0] == f"imgsync evaluator: the session has ended: {said}", name
        if as_json:
            assert ended_in(outcome) == {"event": "ended", "reason": reason.value, "detail": said}


async def test_a_client_that_leaves_after_one_session_fails_where_nothing_came_about(
    relay_url: str,
) -> None:
    async def converse(user: str, reason: EndReason, detail: str | None) -> Outcome:
        follow = client(relay_url, user, *HERE, "--json", "--once")
        async with open_fork("client", *follow) as it:
            await it.wait_event("registered")
            async with open_raw(relay_url, "evaluator", f"e-of-{user}") as raw:
                session = await raw.start(user)
                raw.say("end_session", sessionId=session, reason=reason.value, detail=detail)
                return await it.wait_outcome(END_S)

    names = {f"heard-{number}": end for number, end in enumerate(ENDS)}
    found = await run_together({name: partial(converse, name, *end) for name, end in names.items()})
    for name, (reason, detail) in names.items():
        said = words_of(reason, detail)
        outcome = found[name]
        # Nobody was ever connected: even an end that somebody wanted is no success.
        assert (outcome.code, len(outcome.errors)) == (1, 1), name
        assert re.fullmatch(f"imgsync client: .*: {re.escape(said)}", outcome.errors[0]), name
        ended = ended_in(outcome)
        assert (ended["reason"], ended["detail"]) == (reason.value, said), name
