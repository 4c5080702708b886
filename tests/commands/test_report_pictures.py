"""Which pictures were shown, as the report tells it: in its table, its summary and its page."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.commands.report.offsets import OffsetHistory
from imgsync.commands.report.page import make_page
from imgsync.commands.report.pictures import (
    NAMED,
    PictureChanged,
    describe_bytes,
    find_changed,
    find_versions,
    warn_of_changed,
)
from imgsync.commands.report.rows import Row, make_rows
from imgsync.commands.report.sides import SessionRecord, Sides
from imgsync.commands.report.summary import facts, report_session
from imgsync.core.protocol.signalling import Role
from imgsync.journal.events import Event, Picture, Received, Sent
from imgsync.journal.reader import Entry
from tests.commands.test_report import page_of, read_rows, report
from tests.kit.records import EPOCH, World, header

EVALUATOR = header(Role.EVALUATOR, "dr-lee", EPOCH)
CLIENT = header(Role.CLIENT, "patient-7", EPOCH)


def hash_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def picture(index: int, content: str, *, session: str = "s-1") -> Picture:
    """Of the showing with this index, whose time goes with it."""
    size = (len(content), 800, 600)
    return Picture(session, index, EPOCH + index, hash_of(content), "image/png", *size)


def sent(index: int, url: str = "", *, session: str = "s-1") -> Sent:
    return Sent(session, index, url or f"http://h/{index}.png", EPOCH + index, 1)


def sessions_of(*records: list[Event]) -> list[SessionRecord]:
    """Each record was written by one process."""
    sides = Sides()
    for number, events in enumerate(records):
        entries = [Entry(n, EPOCH + 1000 * number + n, event) for n, event in enumerate(events)]
        assert sides.add_record(entries).count == 0
    return list(sides.sessions.values())


def rows_of(*records: list[Event]) -> list[Row]:
    [record] = sessions_of(*records)
    return make_rows(record, OffsetHistory([], []))


def changed_in(*records: list[Event]) -> list[PictureChanged]:
    return find_changed(map(find_versions, sessions_of(*records)))


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def test_a_row_tells_which_picture_was_shown() -> None:
    [known, unknown] = rows_of([EVALUATOR, sent(0), picture(0, "a"), sent(1)])
    identity = (known.sha256, known.type, known.width, known.height, known.bytes)
    assert identity == (hash_of("a"), "image/png", 800, 600, 1)
    assert (unknown.sha256, unknown.type, unknown.width, unknown.bytes) == (None,) * 4


def test_what_the_client_has_got_counts_for_more_than_what_was_sent() -> None:
    evaluators: list[Event] = [EVALUATOR, sent(0), picture(0, "as it was sent")]
    clients: list[Event] = [CLIENT, picture(0, "as it came")]
    for records in ([evaluators, clients], [clients, evaluators]):
        assert [row.sha256 for row in rows_of(*records)] == [hash_of("as it came")]
    # By the evaluator's record alone, which has it from the client.
    [row] = rows_of([*evaluators, picture(0, "as it came")])
    assert row.sha256 == hash_of("as it came")


def test_a_record_without_a_header_counts_as_what_was_sent() -> None:
    [row] = rows_of([picture(0, "a")], [CLIENT, picture(0, "b")], [picture(0, "c")])
    assert row.sha256 == hash_of("b")


# ── pictures that changed ────────────────────────────────────────────────────────────────────────


def test_an_image_that_was_another_picture_later_is_a_finding() -> None:
    told: list[Event] = [EVALUATOR]
    for index, content in enumerate("abaa"):
        told += [sent(index, "http://h/x.png"), picture(index, content)]
    told += [sent(4, "http://h/y.png"), picture(4, "b")]
    [changed] = changed_in(told)
    assert changed.image_url == "http://h/x.png"
    found = [(one.sha256, one.showings, one.first) for one in changed.versions]
    assert found == [(hash_of("a"), 3, EPOCH), (hash_of("b"), 1, EPOCH + 1)]


def test_sessions_are_looked_at_together() -> None:
    def session(name: str, content: str) -> list[Event]:
        of = {"session": name}
        return [EVALUATOR, sent(0, "http://h/x.png", **of), picture(0, content, **of)]

    assert changed_in(session("s-1", "a"), session("s-2", "a")) == []
    [changed] = changed_in(session("s-1", "a"), session("s-2", "b"), session("s-3", "a"))
    assert sorted((one.sha256, one.showings) for one in changed.versions) == sorted(
        [(hash_of("a"), 2), (hash_of("b"), 1)]
    )


def test_a_client_that_has_got_something_else_is_a_finding_though_it_was_shown_once() -> None:
    evaluators: list[Event] = [EVALUATOR, sent(0), picture(0, "a")]
    [changed] = changed_in(evaluators, [CLIENT, picture(0, "b")])
    assert {one.sha256 for one in changed.versions} == {hash_of("a"), hash_of("b")}
    # Where both sides have the same, and where nobody knows its name, nothing is.
    assert changed_in(evaluators, [CLIENT, picture(0, "a")]) == []
    assert changed_in([EVALUATOR, picture(0, "a"), picture(1, "b")]) == []


def test_the_clients_record_alone_knows_the_name_as_well() -> None:
    url = "http://h/x.png?signature=1"
    told: list[Event] = [CLIENT]
    for index, content in enumerate("ab"):
        at = EPOCH + index
        told += [Received("s-1", index, url, at, at), picture(index, content)]
    [changed] = changed_in(told)
    assert changed.image_url == "http://h/x.png"


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("abc")), max_size=12))
def test_there_is_a_finding_for_each_name_of_two_pictures_and_no_other(
    showings: list[tuple[str, str]],
) -> None:
    told: list[Event] = [EVALUATOR]
    for index, (name, content) in enumerate(showings):
        told += [sent(index, name), picture(index, content)]
    found = {one.image_url: [v.sha256 for v in one.versions] for one in changed_in(told)}
    expected = {
        name: list(dict.fromkeys(hash_of(content) for other, content in showings if other == name))
        for name, _ in showings
    }
    assert found == {name: hashes for name, hashes in expected.items() if len(hashes) > 1}


def test_a_warning_names_the_first_few_of_them() -> None:
    def changed(count: int) -> list[PictureChanged]:
        told: list[Event] = [EVALUATOR]
        for index in range(2 * count):
            told += [sent(index, f"http://h/{index // 2}.png"), picture(index, str(index))]
        return changed_in(told)

    assert warn_of_changed([]) == []
    a, b = (hash_of(str(number))[:12] for number in (0, 1))
    assert warn_of_changed(changed(1)) == [
        "an image was not the same picture in all showings, by SHA-256:"
        f" http://h/0.png ({a}..., {b}...)"
    ]
    [warning] = warn_of_changed(changed(NAMED + 2))
    assert warning.startswith(f"{NAMED + 2} images were not the same picture")
    assert f"http://h/{NAMED - 1}.png" in warning
    assert f"http://h/{NAMED}.png" not in warning
    assert warning.endswith(" and 2 more")


# ── for people ───────────────────────────────────────────────────────────────────────────────────


def test_the_summary_says_of_how_many_showings_it_is_known() -> None:
    [record] = sessions_of([EVALUATOR, sent(0), picture(0, "a"), sent(1), picture(1, "a"), sent(2)])
    summary = report_session(record).summary
    assert (summary.identified, summary.pictures) == (2, 1)
    assert dict(facts(summary))["pictures known"] == "2 of 3, 1 different"
    [record] = sessions_of([EVALUATOR, sent(0)])
    assert dict(facts(report_session(record).summary))["pictures known"] == ""


def test_the_page_has_a_line_for_each_picture_and_escapes_what_a_client_said() -> None:
    odd = Picture("s-1", 1, EPOCH + 1, hash_of("b"), "<b>", 1_234_567, None, None)
    url = "http://h/%3Cx%3E.png"
    [record] = sessions_of([EVALUATOR, sent(0, url), picture(0, "a"), sent(1, url), odd])
    report_ = report_session(record)
    changed = find_changed([report_.versions])
    page = "".join(make_page([(report_, [])], warn_of_changed(changed), changed))
    short = f"{hash_of('a')[:12]}..."
    cells = f"<td>{short}</td><td>image/png</td><td>800 x 600</td><td>1 byte</td><td>1</td>"
    assert f"<tr><td>&lt;x&gt;.png</td>{cells}</tr>" in page
    assert f"<td>{url}</td>{cells}<td>2027-01-15 08:00:00.000</td>" in page
    assert "<td>&lt;b&gt;</td><td></td><td>1.2 MB</td>" in page
    assert page.count("Images that were not the same picture") == 1
    [record] = sessions_of([EVALUATOR, sent(0)])
    page = "".join(make_page([(report_session(record), [])], []))
    assert "SHA-256" not in page


@pytest.mark.parametrize(
    ("count", "words"),
    [
        *[(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB")],
        *[(999_949, "999.9 kB"), (999_950, "1.0 MB"), (20_000_000, "20.0 MB")],
    ],
)
def test_a_size_is_told_in_words(count: int, words: str) -> None:
    assert describe_bytes(count) == words


async def test_the_command_warns_of_pictures_that_changed_and_writes_each_into_its_table(
    tmp_path: Path,
) -> None:
    world = World()
    world.begin()
    for index, content in enumerate("aab"):
        at = EPOCH + 1_000 + 100 * index
        world.show(index, at, url="http://h/x.png?sig=secret")
        size = (1, 4, 3)
        of = (index, round(at, 3), hash_of(content), "image/png", *size)
        world.by_evaluator(at + 50, Picture("s-1", *of))
    logs = world.write(tmp_path)
    outcome = await report(tmp_path, *logs)
    assert outcome.code == 0
    [warning] = outcome.errors
    assert warning.startswith("imgsync report: an image was not the same picture in all showings")
    assert "http://h/x.png (" in warning
    assert "pictures known                  3 of 3, 2 different" in outcome.lines
    assert [row["sha256"] for row in read_rows(tmp_path)] == [*2 * [hash_of("a")], hash_of("b")]
    assert [row["width"] + row["type"] for row in read_rows(tmp_path)] == 3 * ["4image/png"]
    assert "not the same picture in all showings" in page_of(tmp_path)
    outcome = await report(tmp_path, *logs, options=("--json",))
    assert not outcome.errors
    [changed] = [one for one in map(json.loads, outcome.lines) if one["event"] == "changed"]
    assert changed["imageUrl"] == "http://h/x.png"
    first, second = changed["versions"]
    assert (first["sha256"], first["showings"]) == (hash_of("a"), 2)
    assert second == {
        **{"sha256": hash_of("b"), "type": "image/png", "bytes": 1, "width": 4, "height": 3},
        **{"showings": 1, "first": EPOCH + 1_200},
    }
