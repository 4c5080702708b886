"""Puts together what the records of both sides say, session by session, image by image."""

from collections.abc import Iterable

import attrs

from imgsync.commands.report.offsets import Reading
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.signalling import Milliseconds, Role, SessionId
from imgsync.core.protocol.states import StateChange
from imgsync.journal.events import (
    Acked,
    ClockStep,
    CourseEvent,
    Header,
    ImageEvent,
    Lost,
    Path,
    Probe,
    Received,
    Recording,
    Sent,
    Session,
    Stage,
    State,
    Superseded,
)
from imgsync.journal.reader import Entry, Skipped

NOBODY = "no header before it that tells whose it is"
"""Why a line was skipped."""

MAX_SKIPPED = 1000
"""Lines that are known by number: a video that is taken for a record has millions."""


@attrs.define
class Showing:
    """One image that was to be shown, and what is known of it. `received_at` and the times of the
    stages are the client's clock, the others the evaluator's; None where nothing is known."""

    image_index: int
    sent_at: Milliseconds
    image_url: str | None = None
    received_at: Milliseconds | None = None
    acked_at: Milliseconds | None = None
    copies: int | None = None
    was_superseded: bool = False
    fetched_at: Milliseconds | None = None
    shown_at: Milliseconds | None = None
    hidden_at: Milliseconds | None = None
    failed_at: Milliseconds | None = None
    failed_reason: str | None = None


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
    """Lines of a record that can't be used: how many, and the first MAX_SKIPPED of them."""

    count: int = 0
    first: list[Skipped] = attrs.Factory(list)

    def add(self, line: Skipped) -> None:
        self.count += 1
        if self.count <= MAX_SKIPPED:
            self.first.append(line)


class Sides:
    """Records in any order, and the sessions that are in them."""

    def __init__(self) -> None:
        self.sessions: dict[SessionId, SessionRecord] = {}
        #: Events that could not be written.
        self.lost = 0
        self._header: Header | None = None
        #: Sessions that the current process has written of.
        self._met: set[SessionId] = set()

    def add_record(self, items: Iterable[Entry | Skipped]) -> SkippedLines:
        """One record, from its beginning. Returns the lines that can't be used."""
        self._header = None
        skipped = SkippedLines()
        for item in items:
            line = item if isinstance(item, Skipped) else self._add_entry(item)
            if line is not None:
                skipped.add(line)
        return skipped

    def _add_entry(self, entry: Entry) -> Skipped | None:
        event = entry.event
        match event:
            case Header():
                self._header = event
                self._met = set()
            case Lost(count):
                self.lost += count
            case ClockStep(session_id=None):
                pass
            case Sent() | Acked() | Superseded() | Stage() | Received():
                record = self._session(event.session_id)
                self._add_image_event(record, event)
                self._note_time(record, entry.at)
            case _:
                assert event.session_id is not None
                if self._header is None:
                    return Skipped(line=entry.line, why=NOBODY)
                record = self._session(event.session_id)
                self._note_time(record, entry.at)
                self._add_course_event(record, event, entry.at, self._header)
        return None

    def _session(self, session_id: SessionId) -> SessionRecord:
        if session_id not in self.sessions:
            self.sessions[session_id] = SessionRecord(session_id)
        return self.sessions[session_id]

    def _note_time(self, record: SessionRecord, at: Milliseconds) -> None:
        if self._header is None:
            return
        side = self._side(record, self._header)
        side.first_at, side.last_at = min(side.first_at, at), max(side.last_at, at)
        if self._header.role is Role.EVALUATOR:
            self._note_start(record, Role.EVALUATOR, at)

    def _note_start(self, record: SessionRecord, role: Role, at: Milliseconds) -> None:
        """`at` is the evaluator's clock, which of a client's events only its probes know."""
        if record.session_id not in self._met:
            self._met.add(record.session_id)
            record.starts[role].append(at)

    @staticmethod
    def _side(record: SessionRecord, header: Header) -> Side:
        if header.role not in record.sides:
            record.sides[header.role] = Side(header.user_id)
        return record.sides[header.role]

    @staticmethod
    def _add_image_event(record: SessionRecord, event: ImageEvent) -> None:
        showing = record.showing(event.sent_at, event.image_index)
        match event:
            case Sent(image_url=image_url, copy=copy):
                showing.image_url = image_url
                showing.copies = max(showing.copies or 0, copy)
            case Acked(received_at=received_at, acked_at=acked_at):
                showing.received_at = _first(showing.received_at, received_at)
                showing.acked_at = _first(showing.acked_at, acked_at)
                reading = Reading.by_evaluator(
                    t0=event.sent_at, t1=received_at, t2=received_at, t3=acked_at
                )
                record.readings.append(reading)
            case Received(image_url=image_url, received_at=received_at):
                showing.image_url = image_url
                # An ack can have been lost: then a later copy was acked.
                showing.received_at = _first(showing.received_at, received_at)
            case Superseded():
                showing.was_superseded = True
            case Stage():
                _add_stage(showing, event)

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
            case Recording():
                pass
            case Probe():
                self._add_probe(record, header.role, event)

    def _add_probe(self, record: SessionRecord, role: Role, probe: Probe) -> None:
        if probe.t2 < probe.t1:
            return  # the clock over there was set in between
        by_evaluator = role is Role.EVALUATOR
        read = Reading.by_evaluator if by_evaluator else Reading.by_client
        reading = read(t0=probe.t0, t1=probe.t1, t2=probe.t2, t3=probe.t3)
        record.readings.append(reading)
        if not by_evaluator:
            self._note_start(record, role, min(reading.most_at, reading.least_at))


def _first(known: Milliseconds | None, new: Milliseconds) -> Milliseconds:
    return new if known is None else min(known, new)


def _add_stage(showing: Showing, event: Stage) -> None:
    match event.stage:
        case StageKind.FETCHED:
            showing.fetched_at = _first(showing.fetched_at, event.stage_at)
        case StageKind.SHOWN:
            # A page that is looked at again shows it again; the onset was the first time.
            showing.shown_at = _first(showing.shown_at, event.stage_at)
        case StageKind.HIDDEN:
            known = showing.hidden_at
            showing.hidden_at = event.stage_at if known is None else max(known, event.stage_at)
        case StageKind.FAILED:
            # The reason is that of the first failure, as its time is.
            if showing.failed_at is None or event.stage_at < showing.failed_at:
                showing.failed_at, showing.failed_reason = event.stage_at, event.reason
