"""The record's vocabulary, its lines, and what a reader makes of lines that are none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.protocol.channel import Drawn, OnsetTiming, PointerKind, ResponseKind, StageKind
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import SCHEMA
from imgsync.core.protocol.signalling import EndReason, Role
from imgsync.core.protocol.states import SessionState
from imgsync.core.protocol.trials import Respond, Trial
from imgsync.core.protocol.urls import public_url
from imgsync.journal import events
from imgsync.journal.events import Event, Sent
from imgsync.journal.lines import MAX_LINE, decode_line, encode_line
from imgsync.journal.reader import Entry, Skipped, read_journal
from tests.kit.records import EPOCH, header, long_session
from tests.test_docs import DOCS, section, table

times = st.integers(0, 2**52) | st.floats(0, 2e12).map(lambda value: round(value, 3))
words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=20)
ids = words.filter(bool)
counts = st.integers(0, 10**6)

values = st.recursive(
    st.none() | st.booleans() | words | times,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)

#: By the name of the field, as the vocabulary has one meaning for each.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("session_id", "peer_id", "user_id"), ids),
    **dict.fromkeys(("sent_at", "received_at", "acked_at", "stage_at", "since", "by"), times),
    **dict.fromkeys(("t0", "t1", "t2", "t3", "wall_clock", "monotonic_clock"), times),
    **dict.fromkeys(("round_trip", "response_at", "mark_at"), times),
    **dict.fromkeys(("reaction_time", "x", "y", "score", "resolution"), st.none() | times),
    **dict.fromkeys(("frames", "dropped", "seed"), st.none() | counts),
    **dict.fromkeys(("screen_width", "screen_height"), st.none() | counts),
    **dict.fromkeys(("window_width", "window_height"), st.none() | counts),
    **dict.fromkeys(("pixel_ratio", "zoom", "refresh_rate"), st.none() | st.floats(0.5, 500)),
    **dict.fromkeys(("px_per_mm", "distance_mm"), st.none() | st.floats(0.5, 500)),
    **dict.fromkeys(("calibrated_by", "distance_by"), st.none() | words),
    "distance_within_mm": st.none() | st.floats(0, 500),
    "drawn": st.none()
    | st.builds(Drawn, st.floats(0.5, 500), st.floats(0.5, 500), fitted=st.none() | words),
    **dict.fromkeys(("isolated", "keyboard"), st.none() | st.booleans()),
    **dict.fromkeys(("browser", "system", "text"), st.none() | ids),
    "checked_at": st.none() | times,
    "check_found": st.lists(words.filter(bool), max_size=3).map(tuple),
    "languages": st.lists(words.filter(bool), max_size=3).map(tuple),
    "pointer": st.none() | st.sampled_from(PointerKind),
    "number": st.integers(1, 10**6),
    "trials": counts,
    "kind": st.sampled_from(ResponseKind),
    "order": st.sampled_from(["given", "shuffled"]),
    **dict.fromkeys(("name", "value"), ids),
    "trial": st.none()
    | st.builds(
        Trial,
        frames=st.none() | st.integers(1, 100),
        respond=st.none()
        | st.builds(Respond, st.just(("f", "Space")), st.booleans(), st.booleans()),
        text=st.none() | ids,
        size_mm=st.none() | st.floats(0.5, 500),
    ),
    **dict.fromkeys(("latency", "bound"), st.none() | times),
    **dict.fromkeys(("devices", "troubles"), st.lists(words.filter(bool), max_size=3).map(tuple)),
    **dict.fromkeys(("image_index", "copy", "count", "bytes"), counts),
    **dict.fromkeys(("width", "height"), st.none() | counts),
    **dict.fromkeys(("version", "python", "detail", "why"), st.text(max_size=20)),
    **dict.fromkeys(("image_url", "local", "remote"), words),
    "content_type": words.filter(bool),
    "sha256": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "extra": st.none() | st.dictionaries(words, values, max_size=3),
    "schema": st.just(SCHEMA),
    "libraries": st.dictionaries(words, words, max_size=3),
    "resumed": st.booleans(),
    "role": st.sampled_from(Role),
    "state": st.sampled_from(SessionState),
    "stage": st.sampled_from(StageKind),
    "timing": st.none() | st.sampled_from(OnsetTiming),
    "within": st.none() | st.floats(0, 10**6),
    "whose": st.sampled_from(["ours", "theirs"]),
}

#: Those that have another one in some events.
OWN: dict[tuple[Any, str], st.SearchStrategy[Any]] = {
    (events.State, "reason"): st.none() | st.sampled_from(EndReason),
    (events.Stage, "reason"): st.none() | words,
    (events.Stage, "detail"): st.none() | words,
    (events.ClockStep, "session_id"): st.none() | ids,
    (events.Header, "system"): st.text(max_size=20),
    (events.Mark, "image_index"): st.none() | counts,
    (events.Mark, "sent_at"): st.none() | times,
}


def some(cls: Any) -> st.SearchStrategy[Event]:
    fields = {
        field.name: OWN[cls, field.name] if (cls, field.name) in OWN else VALUES[field.name]
        for field in attrs.fields(cls)
    }
    return st.builds(cls, **fields)


some_event = st.sampled_from(get_args(Event)).flatmap(some)


@given(some_event, times)
def test_what_is_written_is_read_back(event: Event, at: float) -> None:
    line = encode_line(event, at)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_line(line) == (at, event)


@given(some_event, times)
def test_each_field_is_on_the_line_whether_it_is_known_or_not(event: Event, at: float) -> None:
    members = json.loads(encode_line(event, at))
    fields = attrs.fields(type(event))
    # What a later version has added is left out where it is not known.
    added = {field.name for field in fields if field.default in (None, ())}
    told = {
        one.name
        for one in fields
        if one.name not in added or getattr(event, one.name) not in (None, ())
    }
    assert members.keys() == {"event", "at", *map(camel, told)}
    assert members["event"] == event.EVENT


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


# ── what must not be in it ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://h:80/a/b.png?sig=s&exp=1#frag", "http://h:80/a/b.png"),
        ("http://h/b.png#sig?sig", "http://h/b.png"),
        ("https://user:password@h/b.png", "https://h/b.png"),
        ("https://us@er:pass@word@h/b.png", "https://h/b.png"),
        ("//user@h/b.png", "//h/b.png"),
        ("b@2x.png", "b@2x.png"),
        ("http:\\\\user:word@h\\b.png", "http:\\\\h\\b.png"),
        ("https://user:pass?word@h/b.png", "https://"),
        ("https://user:pa#ss@h/b.png", "https://"),
        ("https://user:pa/ss@h/b.png", "https://"),
        ("https://[::1]:80/b:c.png?", "https://[::1]:80/b:c.png"),
        ("http://h:/b.png", "http://h:/b.png"),
        ("http://h:8080", "http://h:8080"),
        ("http://h/b@2x.png", "http://h/b@2x.png"),
        ("http://[no-url/b.png?sig", "http://[no-url/b.png"),
        ("", ""),
    ],
)
def test_an_image_url_loses_what_may_be_a_secret(url: str, kept: str) -> None:
    assert public_url(url) == kept
    assert Sent("s", 0, url, 1, 1).image_url == kept


def test_nothing_that_is_secret_has_a_field() -> None:
    names = {field.name for cls in get_args(Event) for field in attrs.fields(cls)}
    assert not [name for name in names if re.search("token|sign|secret|credential|sdp", name)]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def read(path: Path, content: bytes) -> list[Entry | Skipped]:
    path.write_bytes(content)
    return list(read_journal(path))


def lines_of(*happened: Event) -> bytes:
    return b"".join(encode_line(event, EPOCH) for event in happened)


HEADER = header(Role.EVALUATOR, "dr-lee", EPOCH)
LOST = events.Lost(3, "No space left on device")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\0" * 4096, "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"7", "line: expected an object"),
        (b'{"event": "lost", "count": 3, "why": ""}', "line.at: missing"),
        (b'{"event": "lost", "at": NaN, "count": 3, "why": ""}', "not JSON"),
        (b'{"event": "lost", "at": 1, "count": "3", "why": ""}', "lost.count: expected a whole"),
        (b'{"event": "invented", "at": 1}', "of an unknown event"),
        (b'{"event": ["lost"], "at": 1}', "line.event: expected a string"),
        (b'{"event": "lost", "at": 1' + b" " * MAX_LINE + b"}", "longer than"),
    ],
)
def test_a_line_that_tells_nothing_is_skipped_and_the_next_one_counts(
    tmp_path: Path, line: bytes, why: str
) -> None:
    found = read(tmp_path / "log", lines_of(HEADER) + line + b"\n" + lines_of(LOST))
    assert [item.line for item in found] == [1, 2, 3]
    skipped = found[1]
    assert isinstance(skipped, Skipped)
    assert skipped.why.startswith(why)
    assert isinstance(found[2], Entry)
    assert found[2].event == LOST


def test_what_a_later_version_has_written_is_skipped_up_to_the_next_header(
    tmp_path: Path,
) -> None:
    later = b'{"event":"header","at":1,"schema":2,"whatever":true}\n'
    content = lines_of(HEADER, LOST) + later + lines_of(LOST, HEADER, LOST)
    found = read(tmp_path / "log", content)
    assert [item.line for item in found if isinstance(item, Skipped)] == [3, 4]
    assert {item.why for item in found if isinstance(item, Skipped)} == {
        "of schema 2, of which this imgsync knows 1"
    }


def test_unknown_fields_are_ignored() -> None:
    line = b'{"event":"lost","at":1,"count":3,"why":"full","more":{}}'
    assert decode_line(line) == (1, events.Lost(3, "full"))


@pytest.mark.parametrize("name", ["none", "folder/file", ""])
def test_a_file_that_can_not_be_read_is_an_input_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="can't read the record"):
        list(read_journal(tmp_path / name))


CONTENT = long_session(3, 3).lines(Role.EVALUATOR)


@given(st.data())
def test_a_garbled_file_is_read_to_its_end(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(CONTENT)
    for _ in range(data.draw(st.integers(1, 5))):
        begin = data.draw(st.integers(0, len(content)))
        end = begin + data.draw(st.integers(0, 200))
        content[begin:end] = data.draw(st.binary(max_size=200))
    found = read(tmp_path_factory.mktemp("garbled") / "log", bytes(content))
    assert [item.line for item in found] == list(range(1, len(found) + 1))
    # What nobody has touched says what it said.
    whole = set(CONTENT.splitlines())
    kept = [line for line in bytes(content).split(b"\n") if line in whole]
    assert len([item for item in found if isinstance(item, Entry)]) >= len(kept)


# ── the page on it ───────────────────────────────────────────────────────────────────────────────


def test_the_table_of_the_record_is_the_vocabulary() -> None:
    classes = {cls.EVENT: cls for cls in get_args(Event)}
    rows = table("event of the record")
    assert list(rows) == list(classes)
    for event, cls in classes.items():
        fields = rows[event].split(" | ")[1]
        assert re.findall(r"`(\w+)`", fields) == [camel(f.name) for f in attrs.fields(cls)], event


def test_the_page_on_the_record_names_the_schema_of_this_version() -> None:
    assert f"schema version is {SCHEMA}." in section(DOCS["docs/record.md"], "## Events")


@pytest.mark.parametrize("places", [[0], [1], [0, 1, 2]])
def test_a_mark_of_utf_8_before_a_line_is_no_part_of_it(tmp_path: Path, places: list[int]) -> None:
    line = encode_line(header(Role.EVALUATOR, "e", EPOCH), EPOCH)
    path = tmp_path / "record.jsonl"
    path.write_bytes(b"".join((b"\xef\xbb\xbf" if n in places else b"") + line for n in range(3)))
    assert [type(item) for item in read_journal(path)] == [Entry] * 3
