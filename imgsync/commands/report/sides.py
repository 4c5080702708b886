"""Puts together what the records of both sides say, session by session, image by image."""

from collections.abc import Iterable

import attrs

from imgsync.core.channel.drift import Reading
from imgsync.core.protocol.channel import Drawn, OnsetTiming, StageKind
from imgsync.core.protocol.extra import Extra
from imgsync.core.protocol.signalling import Milliseconds, Role, SessionId
from imgsync.core.protocol.states import StateChange
from imgsync.core.protocol.trials import Trial
from imgsync.journal.events import (
    Acked,
    ClockStep,
    CourseEvent,
    Display,
    Event,
    Header,
    ImageEvent,
    Lost,
    Mark,
    Path,
    Picture,
    Probe,
    Received,
    Recording,
    Response,
    Sent,
    Session,
    Stage,
    State,
    Study,
    Superseded,
)
from imgsync.journal.reader import Entry, Skipped

NOBODY = "no header before it that tells whose it is"
"""Why a line was skipped."""

MAX_SKIPPED = 1000
"""Lines that are known by number: a video that is taken for a record has millions."""


@attrs.frozen
class Sight:
    """An image came onto the screen, or went from it.

    :param at: client's clock.
    :param told_at: when the evaluator heard of it, on its own clock; None where only the client
        tells it.
    :param timing: what `at` is of an image that is shown, where the client says it.
    :param within: how far from that it may have come on the screen, ms.
    :param reason: why it went, where the client says it.
    :param frames: for how many refreshes of the screen it was up, where the client says it when it
        goes.
    :param dropped: how many of these the client missed.
    :param drawn: how large it is there, where the client says it.
    """

    is_shown: bool
    at: Milliseconds
    told_at: Milliseconds | None
    timing: OnsetTiming | None
    within: Milliseconds
    reason: str | None
    frames: int | None = None
    dropped: int | None = None
    drawn: Drawn | None = None


@attrs.frozen
class Recorded:
    """From then on, the participant was recorded by these devices, with these troubles.

    :param since: client's clock.
    :param told_at: when the evaluator heard of it, on its own clock.
    """

    since: Milliseconds
    told_at: Milliseconds
    devices: tuple[str, ...]
    troubles: tuple[str, ...]


@attrs.frozen
class ToldDisplay:
    """What the client shows images on.

    :param told_at: when the evaluator heard of it, on its own clock.
    """

    said: Display
    told_at: Milliseconds


@attrs.frozen
class Answer:
    """The participant has answered.

    :param told_at: when the evaluator heard of it, on its own clock; None where only the client
        tells it.
    """

    said: Response
    told_at: Milliseconds | None


@attrs.define
class Showing:
    """One image that was to be shown, and what is known of it. `received_at` and the times of the
    stages are the client's clock, the others the evaluator's; None where nothing is known."""

    image_index: int
    sent_at: Milliseconds
    image_url: str | None = None
    extra: Extra | None = None
    trial: Trial | None = None
    received_at: Milliseconds | None = None
    acked_at: Milliseconds | None = None
    copies: int | None = None
    was_superseded: bool = False
    fetched_at: Milliseconds | None = None
    #: Each once, by what it is and when; in the order in which they were read.
    sights: dict[tuple[bool, Milliseconds], Sight] = attrs.Factory(dict)
    #: Each once, by its number and when it was given, as both sides tell of it.
    answers: dict[tuple[int, Milliseconds], Answer] = attrs.Factory(dict)
    failed_at: Milliseconds | None = None
    failed_reason: str | None = None
    failed_detail: str | None = None
    #: What it was, as the client has written, and as the evaluator has; as they were read.
    clients_pictures: list[Picture] = attrs.Factory(list)
    evaluators_pictures: list[Picture] = attrs.Factory(list)

    @property
    def pictures(self) -> list[Picture]:
        """All that is said of what it was; the last one is what the client has had."""
        return [*self.evaluators_pictures, *self.clients_pictures]


@attrs.define
class Side:
    """What one side has written of a session, on its own clock."""

    user_id: str
    peer_id: str | None = None
    first_at: Milliseconds = float("inf")
    last_at: Milliseconds = float("-inf")
    changes: list[StateChange] = attrs.Factory(list)
    #: In the order in which they were used.
    paths: list[Path] = attrs.Factory(list)
    clock_steps: int = 0


@attrs.define
class SessionRecord:
    """All that is known of one session."""

    session_id: SessionId
    sides: dict[Role, Side] = attrs.Factory(dict)
    #: By `sent_at` and index, which name a showing on both sides.
    showings: dict[tuple[Milliseconds, int], Showing] = attrs.Factory(dict)
    readings: list[Reading] = attrs.Factory(list)
    recordings: list[Recorded] = attrs.Factory(list)
    #: What is told again, as by a process that was started anew, counts once.
    displays: dict[Display, ToldDisplay] = attrs.Factory(dict)
    marks: list[Mark] = attrs.Factory(list)
    study: Study | None = None
    #: Since when each process of a side has taken part; evaluator's clock.
    starts: dict[Role, list[Milliseconds]] = attrs.Factory(lambda: {role: [] for role in Role})

    @property
    def breaks(self) -> list[Milliseconds]:
        """When a process took the place of another, whose clock may have been another one."""
        return [start for starts in self.starts.values() for start in sorted(starts)[1:]]

    def showing(self, sent_at: Milliseconds, image_index: int) -> Showing:
        key = (sent_at, image_index)
        if key not in self.showings:
            self.showings[key] = Showing(image_index, sent_at)
        return self.showings[key]

    def user_id(self, role: Role) -> str | None:
        """Who is on this side, by its own word or by that of the other."""
        own = self.sides.get(role)
        other = self.sides.get(Role.CLIENT if role is Role.EVALUATOR else Role.EVALUATOR)
        return own.user_id if own is not None else other.peer_id if other is not None else None


@attrs.define
class SkippedLines:
    """Lines of a record that can't be used: how many, and the first MAX_SKIPPED of them.

    :param repeated: how many were in a record before, and were not counted again.
    """

    count: int = 0
    repeated: int = 0
    first: list[Skipped] = attrs.Factory(list)

    def add(self, line: Skipped) -> None:
        self.count += 1
        if self.count <= MAX_SKIPPED:
            self.first.append(line)


@attrs.frozen
class Unsteady:
    """A process whose wall clock was set, or which slept: its times go on as if nothing had been.

    :param at: when it was noticed, by its own times.
    :param by: how far the wall clock is ahead of them since then, ms.
    """

    header: Header
    at: Milliseconds
    by: Milliseconds


@attrs.define
class _Writer:
    """One process, and what was read of it; without a header nobody knows which."""

    header: Header | None = None
    lines: set[tuple[Milliseconds, Event]] = attrs.Factory(set)
    #: Sessions that it has written of.
    met: set[SessionId] = attrs.Factory(set)


class Sides:
    """Records in any order, and the sessions that are in them."""

    def __init__(self) -> None:
        self.sessions: dict[SessionId, SessionRecord] = {}
        #: Events that could not be written.
        self.lost = 0
        self.unsteady: list[Unsteady] = []
        #: Whose lines are read.
        self._writer = _Writer()
        #: What each process has written, by its header.
        self._lines: dict[object, set[tuple[Milliseconds, Event]]] = {}

    def add_record(self, items: Iterable[Entry | Skipped]) -> SkippedLines:
        """One record, from its beginning. Returns the lines that can't be used."""
        self._writer = _Writer()
        skipped = SkippedLines()
        for item in items:
            if isinstance(item, Entry) and self._was_there(item):
                skipped.repeated += 1
                continue
            line = item if isinstance(item, Skipped) else self._add_entry(item)
            if line is not None:
                skipped.add(line)
        return skipped

    def _was_there(self, entry: Entry) -> bool:
        """Whether this very line of the same process was read before, in another record."""
        event = entry.event
        if isinstance(event, Header):
            key = (entry.at, event.role, event.user_id, event.wall_clock, event.monotonic_clock)
            self._writer = _Writer(event, self._lines.setdefault(key, set()))
            return False
        line = (entry.at, event)
        was_there = line in self._writer.lines
        self._writer.lines.add(line)
        session_id = getattr(event, "session_id", None)
        if was_there and session_id is not None:
            self._writer.met.add(session_id)
        return was_there

    def _add_entry(self, entry: Entry) -> Skipped | None:
        event = entry.event
        match event:
            case Header():
                pass
            case Lost(count):
                self.lost += count
            case ClockStep(session_id=None):
                if self._writer.header is not None:
                    self.unsteady.append(Unsteady(self._writer.header, entry.at, event.by))
            case Sent() | Acked() | Superseded() | Stage() | Response() | Picture() | Received():
                record = self._session(event.session_id)
                self._add_image_event(record, event, entry.at)
                self._note_time(record, entry.at)
            case _:
                assert event.session_id is not None
                if self._writer.header is None:
                    return Skipped(line=entry.line, why=NOBODY)
                record = self._session(event.session_id)
                self._note_time(record, entry.at)
                self._add_course_event(record, event, entry.at, self._writer.header)
        return None

    def _is_of(self, role: Role) -> bool:
        """Whether this record is known to be that of this side."""
        return self._writer.header is not None and self._writer.header.role is role

    def _session(self, session_id: SessionId) -> SessionRecord:
        if session_id not in self.sessions:
            self.sessions[session_id] = SessionRecord(session_id)
        return self.sessions[session_id]

    def _note_time(self, record: SessionRecord, at: Milliseconds) -> None:
        if self._writer.header is None:
            return
        side = self._side(record, self._writer.header)
        side.first_at, side.last_at = min(side.first_at, at), max(side.last_at, at)
        if self._is_of(Role.EVALUATOR):
            self._note_start(record, Role.EVALUATOR, at)

    def _note_start(self, record: SessionRecord, role: Role, at: Milliseconds) -> None:
        """`at` is the evaluator's clock, which of a client's events only its probes know."""
        if record.session_id not in self._writer.met:
            self._writer.met.add(record.session_id)
            record.starts[role].append(at)

    @staticmethod
    def _side(record: SessionRecord, header: Header) -> Side:
        if header.role not in record.sides:
            record.sides[header.role] = Side(header.user_id)
        return record.sides[header.role]

    def _add_image_event(self, record: SessionRecord, event: ImageEvent, at: Milliseconds) -> None:
        showing = record.showing(event.sent_at, event.image_index)
        match event:
            case Sent(image_url=image_url, copy=copy, extra=extra, trial=trial):
                showing.image_url = image_url
                showing.trial = trial if showing.trial is None else showing.trial
                showing.extra = extra if showing.extra is None else showing.extra
                showing.copies = max(showing.copies or 0, copy)
            case Acked(received_at=received_at, acked_at=acked_at):
                showing.received_at = _first(showing.received_at, received_at)
                showing.acked_at = _first(showing.acked_at, acked_at)
                reading = Reading.by_us(
                    t0=event.sent_at, t1=received_at, t2=received_at, t3=acked_at
                )
                record.readings.append(reading)
            case Received(image_url=image_url, received_at=received_at):
                showing.image_url = image_url
                # An ack can have been lost: then a later copy was acked.
                showing.received_at = _first(showing.received_at, received_at)
            case Superseded():
                showing.was_superseded = True
            case Picture() if self._is_of(Role.CLIENT):
                showing.clients_pictures.append(event)
            case Picture():
                showing.evaluators_pictures.append(event)
            case Stage():
                _add_stage(showing, event, at if self._is_of(Role.EVALUATOR) else None)
            case Response():
                _add_answer(showing, event, at if self._is_of(Role.EVALUATOR) else None)

    def _add_course_event(
        self, record: SessionRecord, event: CourseEvent, at: Milliseconds, header: Header
    ) -> None:
        side = self._side(record, header)
        match event:
            case Session(peer_id=peer_id):
                side.peer_id = peer_id
            case State(state=state, reason=reason, detail=detail):
                side.changes.append(StateChange(state=state, at=at, reason=reason, detail=detail))
            case Path():
                side.paths.append(event)
            case ClockStep():
                side.clock_steps += 1
            case Recording(devices=devices, troubles=troubles, since=since):
                record.recordings.append(Recorded(since, at, devices, troubles))
            case Display():
                record.displays.setdefault(event, ToldDisplay(event, at))
            case Mark():
                record.marks.append(event)
            case Study():
                record.study = event
            case Probe():
                self._add_probe(record, header.role, event)

    def _add_probe(self, record: SessionRecord, role: Role, probe: Probe) -> None:
        if probe.t2 < probe.t1:
            return  # the clock over there was set in between
        by_evaluator = role is Role.EVALUATOR
        read = Reading.by_us if by_evaluator else Reading.by_them
        reading = read(t0=probe.t0, t1=probe.t1, t2=probe.t2, t3=probe.t3)
        record.readings.append(reading)
        if not by_evaluator:
            self._note_start(record, role, min(reading.most_at, reading.least_at))


def _first(known: Milliseconds | None, new: Milliseconds) -> Milliseconds:
    return new if known is None else min(known, new)


def _add_answer(showing: Showing, event: Response, told_at: Milliseconds | None) -> None:
    key = (event.number, event.response_at)
    known = showing.answers.get(key)
    if known is None or (known.told_at is None and told_at is not None):
        showing.answers[key] = Answer(event, told_at)


def _add_stage(showing: Showing, event: Stage, told_at: Milliseconds | None) -> None:
    match event.stage:
        case StageKind.FETCHED:
            showing.fetched_at = _first(showing.fetched_at, event.stage_at)
        case StageKind.SHOWN | StageKind.HIDDEN:
            is_shown, within = event.stage is StageKind.SHOWN, event.within or 0
            at, reason = event.stage_at, None if is_shown else event.reason
            more = (event.frames, event.dropped, event.drawn)
            sight = Sight(is_shown, at, told_at, event.timing, within, reason, *more)
            key = (sight.is_shown, sight.at)
            known = showing.sights.get(key)
            # Both sides tell of it, and the client says it again on each new channel.
            if known is None or (known.told_at is None and told_at is not None):
                showing.sights[key] = sight
        case StageKind.FAILED:
            # The reason is that of the first failure, as its time is.
            if showing.failed_at is None or event.stage_at < showing.failed_at:
                showing.failed_at, showing.failed_reason = event.stage_at, event.reason
                showing.failed_detail = event.detail
