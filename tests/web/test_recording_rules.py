"""What the client's page decides about recordings, in Node, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.rules import CAMERA, MICROPHONE, Rules, open_rules


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    with open_rules(tmp_path_factory.mktemp("rules")) as rules:
        yield rules


# ── sending ──────────────────────────────────────────────────────────────────────────────────────


def settle(rules: Rules, answers: list[dict[str, Any]], chance: float = 1) -> dict[str, Any]:
    """Two recordings wait; these answers come, each as soon as the pause before is over."""
    found: dict[str, Any] = rules.run(
        "recording/sending.js",
        f"""
        const sending = new m.Sending();
        let rows = [{{ key: 1 }}, {{ key: 2 }}];
        const posted = [], pauses = [];
        for (const answer of {json.dumps(answers)}) {{
          const row = sending.next(rows);
          if (row === undefined) break;
          posted.push(row.key);
          if (sending.settle(row.key, answer, {chance})) rows = rows.filter((r) => r !== row);
          pauses.push(sending.pause);
          sending.rested();
        }}
        const {{ failures, refused, isUnreadable }} = sending;
        return {{
          posted, pauses, failures, refused: [...refused], isUnreadable,
          left: rows.map(({{ key }}) => key), next: sending.next(rows)?.key ?? null,
        }};
        """,
    )
    return found


def answered(status: int, wish: int = 0) -> dict[str, Any]:
    return {"kind": "answered", "status": status, "wish": wish}


UNREAD = {"kind": "failed", "isThere": True, "isOpen": False}
UNREAD_OF_OPEN = {"kind": "failed", "isThere": True, "isOpen": True}
NO_NETWORK = {"kind": "failed", "isThere": False, "isOpen": False}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_what_is_answered_with_a_2xx_is_sent(rules: Rules, status: int) -> None:
    found = settle(rules, [answered(status)] * 3)
    assert (found["posted"], found["left"], found["pauses"]) == ([1, 2], [], [0, 0])


@pytest.mark.parametrize(
    "status", [304, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431, 451]
)
def test_what_is_refused_for_good_is_posted_once_and_the_others_are_not_kept_back(
    rules: Rules, status: int
) -> None:
    found = settle(rules, [answered(status), answered(204), answered(204)])
    assert (found["posted"], found["left"], found["next"]) == ([1, 2], [1], None)
    assert found["refused"] == [[1, f"http_{status}"]]
    assert found["failures"] == 0


@pytest.mark.parametrize("answer", ["redirected", "blocked", "damaged"])
def test_what_can_never_be_sent_is_tried_once(rules: Rules, answer: str) -> None:
    found = settle(rules, [{"kind": answer}] * 3)
    assert (found["posted"], found["next"], found["pauses"]) == ([1, 2], None, [0, 0])


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507])
def test_what_may_pass_is_tried_again_after_pauses_that_grow_to_a_minute(
    rules: Rules, status: int
) -> None:
    found = settle(rules, [answered(status)] * 8)
    assert found["posted"] == [1, 2] * 4
    assert found["pauses"] == [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]
    assert (found["refused"], found["isUnreadable"]) == ([], False)
    # With half of each left to chance: all pages of a server that restarts come back at once.
    assert settle(rules, [answered(status)], chance=0)["pauses"] == [1000]


def test_a_server_that_asks_for_time_gets_it(rules: Rules) -> None:
    found = settle(
        rules, [answered(429, 90_000), answered(204), answered(503, 10**9), answered(204)]
    )
    assert found["pauses"] == [90_000, 0, 3_600_000, 0]
    assert found["left"] == []


def test_a_network_that_is_gone_refuses_nothing(rules: Rules) -> None:
    found = settle(rules, [NO_NETWORK] * 50)
    assert (found["refused"], found["isUnreadable"], found["failures"]) == ([], False, 50)
    assert found["pauses"][-1] == 60_000


@pytest.mark.parametrize(
    ("answers", "posts"),
    [
        ([UNREAD] * 9, 3),
        # What the network does in between says nothing of the server.
        ([UNREAD, NO_NETWORK, UNREAD, NO_NETWORK, UNREAD, UNREAD], 5),
        # An answer that can be read does.
        ([UNREAD, UNREAD, answered(503), UNREAD, UNREAD, answered(500), UNREAD, UNREAD, UNREAD], 9),
        ([UNREAD_OF_OPEN] * 20, 8),
    ],
)
def test_a_server_whose_answers_can_not_be_read_is_sent_a_few_copies_and_no_more(
    rules: Rules, answers: list[dict[str, Any]], posts: int
) -> None:
    found = settle(rules, answers)
    assert len(found["posted"]) == posts
    assert (found["isUnreadable"], found["next"]) == (True, None)


def test_somebody_who_asks_has_everything_sent_once_more(rules: Rules) -> None:
    body = """
        const sending = new m.Sending(), rows = [{ key: 1 }, { key: 2 }];
        sending.settle(1, { kind: "answered", status: 403 }, 1);
        for (let n = 0; n < 3; n += 1) sending.settle(2, { kind: "failed", isThere: true }, 1);
        const before = sending.next(rows)?.key ?? null;
        sending.renew();
        return [before, sending.next(rows).key, sending.pause, sending.refused.size];
    """
    assert rules.run("recording/sending.js", body) == [None, 1, 0, 0]


def test_a_network_that_is_back_ends_the_pause_and_not_what_the_server_has_asked_for(
    rules: Rules,
) -> None:
    body = """
        const sending = new m.Sending();
        sending.settle(1, { kind: "failed" }, 1);
        sending.hurry();
        const after = [sending.pause];
        sending.settle(1, { kind: "answered", status: 429, wish: 7000 }, 1);
        sending.hurry();
        return [...after, sending.pause];
    """
    assert rules.run("recording/sending.js", body) == [0, 7000]


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        ("7", 7000),
        (" 0 ", 0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50_000),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(
    rules: Rules, header: str | None, wish: int
) -> None:
    body = f"return m.readRetryAfter({json.dumps(header)}, 10000)"
    assert rules.run("recording/sending.js", body) == wish


@pytest.mark.parametrize(
    ("url", "page", "is_blocked"),
    [
        ("http://lab.example/r", "https://relay.example/client", True),
        ("http://10.0.0.4:8000/r", "https://relay.example/client", True),
        ("https://lab.example/r", "https://relay.example/client", False),
        ("http://lab.example/r", "http://relay.example/client", False),
        ("http://localhost:8000/r", "https://relay.example/client", False),
        ("http://127.0.0.1:8000/r", "https://relay.example/client", False),
        ("http://[::1]:8000/r", "https://relay.example/client", False),
    ],
)
def test_an_address_where_browsers_let_no_page_post_is_known(
    rules: Rules, url: str, page: str, is_blocked: bool
) -> None:
    body = f"return m.isBlocked({json.dumps(url)}, {json.dumps(page)})"
    assert rules.run("recording/destination.js", body) == is_blocked


# ── devices ──────────────────────────────────────────────────────────────────────────────────────


def watch(rules: Rules, steps: list[list[Any]], until: float = 0) -> list[Any]:
    """Play these to the watch, whose ticks come when they are due: what it asks for, and its end.

    A step begins with its time, but for "later": that is tried after each time it asks.
    """
    found: list[Any] = rules.run(
        "recording/watch.js",
        f"""
        const watch = new m.Watch(), asked = [];
        const tickUntil = (time) => {{
          while (watch.due <= time) {{
            const at = watch.due, kinds = watch.tick(at);
            if (kinds.length > 0) asked.push([at, kinds]);
            for (const kind of kinds) again(kind, at);
          }}
        }};
        let again = () => {{}};
        for (const [at, method, ...given] of {json.dumps(steps)}) {{
          tickUntil(at);
          if (method === "later") again = (kind, now) => watch[given[0]](kind, given[1], now);
          else watch[method](...given, at);
        }}
        tickUntil({until});
        return [asked, Object.fromEntries(watch.states)];
        """,
    )
    return found


@pytest.mark.parametrize("why", ["ended", "missing", "in_use", "muted"])
def test_a_device_that_may_come_back_is_asked_for_until_it_does(rules: Rules, why: str) -> None:
    asked, states = watch(
        rules,
        [[0, "later", "failed", why], [0, "failed", MICROPHONE, why], [100, "off"]],
        until=200,
    )
    assert [at for at, _ in asked] == [1, 3, 7, 15, 31, 63]
    assert states == {}
    asked, states = watch(
        rules,
        [[0, "later", "opened", False], [0, "failed", MICROPHONE, why]],
        until=1000,
    )
    assert (asked, states) == ([[1, [MICROPHONE]]], {MICROPHONE: "on"})


def test_one_that_ended_is_asked_for_at_once_and_alone(rules: Rules) -> None:
    begin = [[0, "opened", CAMERA, False], [0, "opened", MICROPHONE, False]]
    asked, states = watch(rules, [*begin, [5, "ended", MICROPHONE]], until=5)
    assert asked == [[5, [MICROPHONE]]]
    assert states == {CAMERA: "on", MICROPHONE: "ended"}


def test_one_that_ended_and_is_not_found_is_said_to_have_gone(rules: Rules) -> None:
    begin = [[0, "later", "failed", "missing"], [0, "opened", CAMERA, False]]
    _, states = watch(rules, [*begin, [5, "ended", CAMERA]], until=5)
    assert states == {CAMERA: "ended"}


@pytest.mark.parametrize("why", ["denied", "policy", "system"])
def test_what_is_forbidden_is_not_asked_for_by_itself(rules: Rules, why: str) -> None:
    steps = [[0, "later", "failed", why], [0, "opened", CAMERA, False], [5, "ended", CAMERA]]
    asked, states = watch(rules, [*steps, [50, "changed"]], until=1000)
    assert (asked, states) == ([[5, [CAMERA]]], {CAMERA: why})


def test_what_comes_or_goes_has_it_asked_for_at_once(rules: Rules) -> None:
    steps = [[0, "later", "failed", "missing"], [0, "failed", CAMERA, "missing"], [40, "changed"]]
    asked, _ = watch(rules, steps, until=42)
    assert [at for at, _ in asked] == [1, 3, 7, 15, 31, 40, 41]


def test_what_is_muted_for_a_moment_is_not_told_and_what_is_for_longer_is(rules: Rules) -> None:
    begin = [[0, "opened", MICROPHONE, False], [5, "muted", MICROPHONE]]
    asked, states = watch(rules, [*begin, [5.9, "unmuted", MICROPHONE]], until=100)
    assert (asked, states) == ([], {MICROPHONE: "on"})
    asked, states = watch(rules, begin, until=6)
    assert (asked, states) == ([[6, [MICROPHONE]]], {MICROPHONE: "muted"})
    # What is there and muted is not said to be in use, or denied, because it can't be opened twice.
    for why, times in (("in_use", [6, 7, 9, 13]), ("denied", [6])):
        later = [[0, "later", "failed", why], *begin]
        asked, states = watch(rules, later, until=20)
        assert [at for at, _ in asked] == times
        assert states == {MICROPHONE: "muted"}
    later = [[0, "later", "opened", True], *begin, [20, "unmuted", MICROPHONE]]
    asked, states = watch(rules, later, until=100)
    assert [at for at, _ in asked] == [6, 7, 9, 13]
    assert states == {MICROPHONE: "on"}


@pytest.mark.parametrize(
    ("name", "message", "is_allowed", "reason"),
    [
        ("NotFoundError", "Requested device not found", True, "missing"),
        ("OverconstrainedError", "", True, "missing"),
        ("NotAllowedError", "Permission denied", True, "denied"),
        ("NotAllowedError", "Permission dismissed", True, "denied"),
        ("NotAllowedError", "Permission denied by system", True, "system"),
        ("NotAllowedError", "Permission denied", False, "policy"),
        ("SecurityError", "", True, "denied"),
        ("NotReadableError", "Could not start video source", True, "in_use"),
        ("AbortError", "", True, "in_use"),
        ("TypeError", "", True, "in_use"),
    ],
)
def test_each_failure_has_its_reason(
    rules: Rules, name: str, message: str, is_allowed: bool, reason: str
) -> None:
    error = json.dumps({"name": name, "message": message})
    body = f"return m.reasonOf({error}, {json.dumps(is_allowed)})"
    assert rules.run("recording/watch.js", body) == reason


# ── files ────────────────────────────────────────────────────────────────────────────────────────


WEBM = ("video/webm;codecs=vp8,opus", "video/webm;codecs=vp8", "audio/webm;codecs=opus")


@pytest.mark.parametrize(
    ("offered", "both", "video", "audio"),
    [
        # Safari offers both, Chromium offers both and Matroska, Firefox WebM alone.
        (["mp4", "webm"], "video/mp4", "video/mp4", "audio/mp4"),
        (["mp4", "webm", "x-matroska"], *WEBM),
        (["webm"], *WEBM),
        (["mp4"], "video/mp4", "video/mp4", "audio/mp4"),
        ([], None, None, None),
    ],
)
def test_mp4_is_recorded_where_a_browser_offers_both_but_in_chromium(
    rules: Rules, offered: list[str], both: str | None, video: str | None, audio: str | None
) -> None:
    body = f"""
        const isOffered = (type) => {json.dumps(offered)}.includes(/\\/([^;]*)/.exec(type)[1]);
        const choose = (...kinds) => m.chooseType(kinds, isOffered) ?? null;
        return [choose("camera", "microphone"), choose("camera"), choose("microphone")];
    """
    assert rules.run("recording/types.js", body) == [both, video, audio]


def test_a_codec_that_is_not_offered_is_not_asked_for(rules: Rules) -> None:
    body = 'return m.chooseType(["camera"], (type) => type === "video/webm")'
    assert rules.run("recording/types.js", body) == "video/webm"


def test_devices_that_can_not_be_recorded_leave_nothing_of_those_before_them(rules: Rules) -> None:
    body = """
        const told = [];
        globalThis.MediaRecorder = class extends EventTarget {
          static isTypeSupported = () => true;
          stop() {}
          constructor(stream) {
            super();
            if (stream.isBad) throw new Error("bad");
            this.start = () => told.push(`started ${stream.name}`);
          }
        };
        const stream = (name, isBad) => ({ name, isBad, getTracks: () => [{ kind: "audio" }] });
        const listener = { failed: () => told.push("failed"), kept() {}, over() {}, reached() {} };
        const store = { begin: () => new Promise(() => {}) };
        const takes = new m.Takes("ada", store, { ...listener, troubles: () => [] });
        const image = { imageIndex: 0, imageUrl: "https://h/0.png", sentAt: 1 };
        takes.use(stream("first", false));
        takes.use(stream("second", true));
        takes.start({ ...image }, 1, null);
        takes.use(stream("third", false));
        return told;
    """
    rules.run("recording/types.js", "return (globalThis.location = { pathname: '/client' });")
    assert rules.run("recording/takes.js", body) == ["failed", "started third"]


def test_a_recording_whose_device_is_lost_before_the_onset_is_known_waits_for_it(
    rules: Rules,
) -> None:
    body = """
        globalThis.MediaRecorder = class extends EventTarget {
          static isTypeSupported = () => true;
          state = "inactive";
          mimeType = "audio/webm";
          start() {
            this.state = "recording";
            queueMicrotask(() => this.dispatchEvent(new Event("start")));
          }
          stop() {
            this.state = "inactive";
            const data = Object.assign(new Event("dataavailable"), { data: { size: 5 } });
            queueMicrotask(() => this.dispatchEvent(data));
            queueMicrotask(() => this.dispatchEvent(new Event("stop")));
          }
        };
        let keys = 0;
        const finished = [];
        const store = {
          begin: async ({ timing }) => (finished.push(["begun", timing]), (keys += 1)),
          append: async () => {},
          finish: async (key, about) => {
            const { shownAt, offset, recordingStartedAt, timing, within, hiddenAt } = about;
            const isOf = offset === shownAt - recordingStartedAt;
            finished.push([key, shownAt, isOf, timing, within, hiddenAt]);
          },
        };
        const stream = () => ({ getTracks: () => [{ kind: "audio" }] });
        const listener = { failed: (error) => finished.push(String(error)), kept() {}, over() {},
          reached() {}, troubles: () => [] };
        const takes = new m.Takes("ada", store, listener);
        const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
        const image = { imageIndex: 0, imageUrl: "https://h/0.png", sentAt: 1 };
        const run = async () => {
          takes.use(stream());
          await turn();
          takes.start(image, 1000, null);
          await turn();
          takes.use(stream());  // the device was lost, and is there again
          await turn();
          const before = [...finished];
          takes.shown(image, { id: "", at: 1017, timing: "presented", within: 4 });
          await turn();
          takes.use(stream());  // and once more, now that it is known
          await turn();
          takes.hide(image, 1500);
          await turn();
          // Of one that goes before its onset is known, that is all that will be known.
          const other = { ...image, sentAt: 2 };
          takes.start(other, 2000, null);
          await turn();
          takes.use(null);
          await turn();
          const open = finished.length;
          takes.hide(other, 2001);
          await turn();
          return [before, finished.slice(before.length, open), finished.slice(open)];
        };
        return run();
    """
    rules.run("recording/types.js", "return (globalThis.location = { pathname: '/client' });")
    known = [1017, True, "presented", 4]
    before, after, last = rules.run("recording/takes.js", body)
    assert before == [["begun", None], ["begun", None]]
    assert after == [
        *([1, *known, None], ["begun", "presented"], [2, *known, None], [3, *known, 1500]),
        ["begun", None],
    ]
    assert last == [[4, 2000, True, None, None, None]]


def test_parts_are_written_in_order_and_anew_where_storage_was_emptied(rules: Rules) -> None:
    body = """
        const memory = new m.Memory(10), parts = new m.Parts(memory), told = [];
        const next = () => told.push(parts.next?.number ?? null);
        parts.add({ size: 4 });
        parts.add({ size: 4 });
        next(); parts.wrote(); next(); parts.wrote(); next();
        told.push(parts.startOver());
        next(); parts.wrote(); next();
        parts.release();
        told.push(memory.take(10));
        return told;
    """
    assert rules.run("recording/parts.js", body) == [0, 1, None, True, 0, 1, True]


def test_what_is_written_gives_way_and_what_is_not_has_a_bound(rules: Rules) -> None:
    body = """
        const memory = new m.Memory(10), parts = new m.Parts(memory), told = [];
        parts.add({ size: 6 });
        parts.wrote();
        told.push(parts.add({ size: 6 }), parts.next.number, parts.startOver());
        // Neither the rest of this one nor another one has room before it is written.
        told.push(parts.add({ size: 6 }), new m.Parts(memory).add({ size: 6 }));
        parts.wrote();
        told.push(new m.Parts(memory).add({ size: 4 }), parts.add({ size: 6 }), parts.next.number);
        return told;
    """
    expected = [True, 1, False, False, False, True, True, 2]
    assert rules.run("recording/parts.js", body) == expected
