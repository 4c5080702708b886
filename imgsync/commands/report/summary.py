"""What a session was, in figures."""

from collections.abc import Iterator, Sequence

import attrs

from imgsync.commands.report.offsets import OffsetHistory
from imgsync.commands.report.pictures import Versions, find_versions
from imgsync.commands.report.rows import Row, iso, make_rows
from imgsync.commands.report.sides import Recorded, SessionRecord, Side, Sides
from imgsync.commands.report.trials import TrialTables, make_tables
from imgsync.core.protocol.signalling import Milliseconds, Role
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.journal.events import Study

UP = (SessionState.CONNECTED, SessionState.RESUMED)


@attrs.frozen
class Stretch:
    """A side saw the session in one state from `begin` to `end`, ms."""

    begin: Milliseconds
    end: Milliseconds
    change: StateChange


@attrs.frozen
class Interruption:
    """There was no connection from `begin` to `end`; evaluator's clock, ms.

    :param why: the reason, for people.
    """

    begin: Milliseconds
    end: Milliseconds
    why: str


@attrs.frozen
class RecordingChange:
    """From then on, the participant was recorded in this way.

    :param at: evaluator's clock, ms; when it was told, where nothing is known of the client's.
    :param devices: those that were recorded while an image was shown.
    :param troubles: what was the matter, in short words.
    """

    at: Milliseconds
    devices: tuple[str, ...]
    troubles: tuple[str, ...]


@attrs.frozen
class StudySummary:
    """What was shown is a study.

    :param order: "given" or "shuffled"; `seed` is what it was shuffled by.
    :param trials: how many it has.
    """

    name: str
    order: str
    seed: int | None
    trials: int


@attrs.frozen
class Spread:
    """Of a series of durations, ms; `bound` is the median of how wrong they can be."""

    median: float
    p95: float
    max: float
    bound: float | None = None


@attrs.frozen
class SessionSummary:
    """One session. Times are the evaluator's clock where it is known, ms; None: nothing is.

    :param missing: sides of which there is no record.
    :param clock_steps: how often a clock was seen to be set.
    :param recordings: how the participant was recorded, at each change; empty where that was not
        asked for.
    :param identified: showings of which it is known which picture was shown, by its SHA-256.
    :param pictures: different ones among them.
    :param study: None where what was shown is none.
    :param answers: of the participant's, in all; `reaction_time` is of the first one to each image.
    :param marks: of the evaluator's.
    """

    EVENT = "session"
    session_id: str
    evaluator: str | None
    client: str | None
    missing: tuple[Role, ...]
    begin: Milliseconds | None
    end: Milliseconds | None
    sent: int
    acked: int
    shown: int
    failed: int
    superseded: int
    interruptions: tuple[Interruption, ...]
    round_trip: Spread | None
    latency: Spread | None
    onset_latency: Spread | None
    paths: tuple[str, ...]
    clock_steps: int
    recordings: tuple[RecordingChange, ...]
    identified: int
    pictures: int
    study: StudySummary | None
    answers: int
    reaction_time: Spread | None
    marks: int

    @property
    def prose(self) -> str:
        lines = facts(self)
        width = max(len(name) for name, _ in lines)
        return "".join(f"{name:<{width}}  {value or '-'}\n" for name, value in lines)

    @property
    def duration(self) -> float | None:
        """Milliseconds."""
        return None if self.begin is None or self.end is None else self.end - self.begin

    @property
    def longest_interruption(self) -> float | None:
        """Milliseconds."""
        return max((one.end - one.begin for one in self.interruptions), default=None)


@attrs.frozen
class SessionReport:
    """All that there is to say of a session: in figures, image by image, and over time.

    :param stretches: of each side, on the evaluator's clock.
    :param versions: the pictures that were shown.
    :param tables: answers, marks, and what the client showed images on.
    """

    summary: SessionSummary
    rows: list[Row]
    history: OffsetHistory
    stretches: dict[Role, list[Stretch]]
    versions: Versions
    tables: TrialTables


def report_sessions(sides: Sides) -> list[SessionReport]:
    """In the order in which they began."""
    reports = [report_session(record) for record in sides.sessions.values()]
    return sorted(reports, key=lambda report: report.summary.begin or 0)


def report_session(record: SessionRecord) -> SessionReport:
    """Work it out."""
    history = OffsetHistory(record.readings, record.breaks)
    rows = make_rows(record, history)
    stretches = {
        role: _on_evaluators_clock(_make_stretches(side), role, history)
        for role, side in record.sides.items()
    }
    tables = make_tables(record, rows, history)
    summary = _summarize(record, rows, tables, history)
    return SessionReport(summary, rows, history, stretches, find_versions(record), tables)


def _make_stretches(side: Side) -> list[Stretch]:
    """Its states one after the other, on its own clock."""
    changes = sorted(side.changes, key=lambda change: change.at)
    # One more than changes where there are none.
    ends = [*(change.at for change in changes[1:]), side.last_at]
    return [
        Stretch(begin=change.at, end=end, change=change)
        for change, end in zip(changes, ends, strict=False)
    ]


def _on_evaluators_clock(
    stretches: list[Stretch], role: Role, history: OffsetHistory
) -> list[Stretch]:
    """Nothing where the client's clock is not known."""
    if role is Role.EVALUATOR:
        return stretches
    found = []
    for stretch in stretches:
        begin, end = history.to_evaluator(stretch.begin), history.to_evaluator(stretch.end)
        if begin is not None and end is not None:
            found.append(attrs.evolve(stretch, begin=begin.at, end=end.at))
    return found


def find_interruptions(stretches: Sequence[Stretch]) -> list[Interruption]:
    """From each loss of the connection until there is one again, or the end."""
    found: list[Interruption] = []
    is_open = False
    for stretch in stretches:
        change = stretch.change
        if change.state is SessionState.INTERRUPTED:
            if is_open:
                found[-1] = attrs.evolve(found[-1], end=stretch.end)
                continue
            sentence = "" if change.reason is None else change.reason.sentence
            why = change.detail or sentence
            found.append(Interruption(begin=stretch.begin, end=stretch.end, why=why))
            is_open = True
        elif is_open and change.state not in (*UP, SessionState.ENDED):
            found[-1] = attrs.evolve(found[-1], end=stretch.end)
        else:
            is_open = False
    return found


def percentile(ordered: Sequence[float], share: float) -> float:
    """Between the two neighbours; `ordered` is not empty, `share` is 0 to 1."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _spread(values: Sequence[float | None], bounds: Sequence[float | None] = ()) -> Spread | None:
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return None
    known = sorted(bound for bound in bounds if bound is not None)
    return Spread(
        median=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95),
        max=ordered[-1],
        bound=percentile(known, 0.5) if known else None,
    )


def _summarize(
    record: SessionRecord, rows: Sequence[Row], tables: TrialTables, history: OffsetHistory
) -> SessionSummary:
    course = _course(record, history)
    paths = [path for side in record.sides.values() for path in side.paths]
    study = record.study
    return SessionSummary(
        session_id=record.session_id,
        evaluator=record.user_id(Role.EVALUATOR),
        client=record.user_id(Role.CLIENT),
        missing=tuple(role for role in Role if role not in record.sides),
        begin=course.begin,
        end=course.end,
        sent=len(rows),
        acked=sum(row.acked_at is not None for row in rows),
        shown=sum(row.shown_at is not None for row in rows),
        failed=sum(row.has_failed for row in rows),
        superseded=sum(row.superseded for row in rows),
        interruptions=tuple(find_interruptions(course.stretches)),
        round_trip=_spread([row.round_trip for row in rows]),
        latency=_spread([row.latency for row in rows], [row.bound for row in rows]),
        onset_latency=_spread(
            [row.onset_latency for row in rows], [row.onset_bound for row in rows]
        ),
        paths=tuple(dict.fromkeys(f"{path.local}-{path.remote}" for path in paths)),
        clock_steps=max((side.clock_steps for side in record.sides.values()), default=0),
        recordings=tuple(_recording_changes(record.recordings, history)),
        identified=sum(row.sha256 is not None for row in rows),
        pictures=len({row.sha256 for row in rows} - {None}),
        study=None if study is None else _study(study),
        answers=sum(one.is_answer for one in tables.responses),
        reaction_time=_spread(
            [row.reaction_time for row in rows], [row.reaction_bound for row in rows]
        ),
        marks=len(tables.marks),
    )


def _study(study: Study) -> StudySummary:
    return StudySummary(study.name, study.order, study.seed, study.trials)


def _recording_changes(
    recordings: Sequence[Recorded], history: OffsetHistory
) -> Iterator[RecordingChange]:
    """In their order; what is told again is none."""
    last: RecordingChange | None = None
    for one in sorted(recordings, key=lambda one: (one.told_at, one.since)):
        here = history.to_evaluator(one.since, one.told_at)
        at = one.told_at if here is None else min(here.at, one.told_at)
        change = RecordingChange(at, one.devices, one.troubles)
        if last is None or attrs.evolve(last, at=at) != change:
            yield change
        last = change


@attrs.frozen
class _Course:
    """From when to when a session went, and its states in between."""

    begin: Milliseconds | None
    end: Milliseconds | None
    stretches: list[Stretch]


def _course(record: SessionRecord, history: OffsetHistory) -> _Course:
    """As the evaluator saw it, or else the client.

    A client's times are its own where nothing is known of the evaluator's clock.
    """
    role = Role.EVALUATOR if Role.EVALUATOR in record.sides else Role.CLIENT
    side = record.sides.get(role)
    if side is None:
        times = [showing.sent_at for showing in record.showings.values()]
        begin, end = min(times, default=None), max(times, default=None)
        return _Course(begin=begin, end=end, stretches=[])
    stretches = _make_stretches(side)
    first, last = history.to_evaluator(side.first_at), history.to_evaluator(side.last_at)
    if role is Role.EVALUATOR or first is None or last is None:
        return _Course(begin=side.first_at, end=side.last_at, stretches=stretches)
    there = _on_evaluators_clock(stretches, role, history)
    return _Course(begin=first.at, end=last.at, stretches=there)


def utc(at: Milliseconds) -> str:
    """For people: "2027-01-15 08:00:00.000"."""
    return iso(at).partition("+")[0].replace("T", " ")


def describe_duration(ms: float | None) -> str:
    """For people: "3:02:11 h", "4:05 min", "12.3 s" or "850 ms"."""
    if ms is None:
        return ""
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} h" if hours else f"{minutes}:{seconds:02} min"


def facts(summary: SessionSummary) -> list[tuple[str, str]]:
    """The summary as lines of a name and what is to be said; where nothing is known, a dash."""
    longest = summary.longest_interruption
    count = str(len(summary.interruptions))
    return [
        ("session", summary.session_id),
        ("start", "" if summary.begin is None else f"{utc(summary.begin)} UTC"),
        ("duration", describe_duration(summary.duration)),
        ("evaluator", summary.evaluator or ""),
        ("client", summary.client or ""),
        ("images sent", str(summary.sent)),
        ("acked", str(summary.acked)),
        ("shown", str(summary.shown)),
        ("failed", str(summary.failed)),
        ("superseded", str(summary.superseded)),
        ("pictures known", _describe_pictures(summary)),
        (
            "interruptions",
            count if longest is None else f"{count}, longest {describe_duration(longest)}",
        ),
        ("round trip, median / p95 / max", _describe_spread(summary.round_trip, with_max=True)),
        ("one way, median / p95", _describe_spread(summary.latency)),
        ("onset, median / p95", _describe_spread(summary.onset_latency)),
        ("path", ", ".join(summary.paths)),
        ("clocks set", str(summary.clock_steps)),
        ("recorded", _describe_recordings(summary.recordings)),
        ("records of", " and ".join(role.value for role in Role if role not in summary.missing)),
        *_trial_facts(summary),
    ]


def _trial_facts(summary: SessionSummary) -> Iterator[tuple[str, str]]:
    """Where there are none, nothing at all is said of them."""
    study = summary.study
    if study is not None:
        yield ("study", study.name)
        by_seed = "" if study.seed is None else f" by the seed {study.seed}"
        yield ("order", f"{study.order}{by_seed}, {study.trials} entries")
    if study is not None or summary.answers:
        yield ("answers", str(summary.answers))
        yield ("reaction time, median / p95", _describe_spread(summary.reaction_time))
    if summary.marks:
        yield ("marks", str(summary.marks))


def _describe_pictures(summary: SessionSummary) -> str:
    """Of how many showings it is known what was shown; empty where of none."""
    if summary.identified == 0:
        return ""
    return f"{summary.identified} of {summary.sent}, {summary.pictures} different"


def _describe_recordings(recordings: Sequence[RecordingChange]) -> str:
    """How the participant was recorded, all in all; empty where nobody was asked to."""
    if not recordings:
        return ""
    devices = dict.fromkeys(word for one in recordings for word in one.devices)
    troubles = dict.fromkeys(word for one in recordings for word in one.troubles)
    by = " and ".join(devices) or "no device"
    return f"{by}; {', '.join(troubles)}" if troubles else by


def _describe_spread(spread: Spread | None, *, with_max: bool = False) -> str:
    if spread is None:
        return ""
    figures = [spread.median, spread.p95, *([spread.max] if with_max else [])]
    text = " / ".join(f"{figure:.1f}" for figure in figures)
    return f"{text} ms" if spread.bound is None else f"{text} ms, ± {spread.bound:.1f}"
