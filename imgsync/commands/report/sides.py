"""Puts together what the records of both sides say, session by session, image by image."""

from collections.abc import Iterable

import attrs

from imgsync.commands.report.offsets import Reading
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.signalling import EndReason, Milliseconds, Role, SessionId
from imgsync.core.protocol.states import SessionState
from imgsync.journal.events import (
    Acked,
    ClockStep,
    Header,
    Lost,
    Path,
    Probe,
    Received,
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
"""Lines that are told of by number: a video that is taken for a record has millions."""


@attrs.define
class Showing:
    """One image that was to be shown, and what is known of it. `received_at` and the times of the
    stages are the client's clock, the others the evaluator's; None where nobody has said."""

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


@attrs.frozen
class Change:
    """A session was in another state since this time of the writer's clock."""

    at: Milliseconds
    state: SessionState
    reason: EndReason | None
    detail: str


@attrs.define
class Side:
    """What one side has written of a session, on its own clock."""

    user_id: str
    peer_id: str | None = None
    first_at: Milliseconds = float("inf")
    last_at: Milliseconds = float("-inf")
    changes: list[Change] = attrs.Factory(list)
    #: Types of the local and the remote candidate, in the order in which they were used.
    paths: list[tuple[str, str]] = attrs.Factory(list)
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
    """Lines of a record that tell nothing: how many, and the first MAX_SKIPPED of them."""

    count: int = 0
    first: list[Skipped] = attrs.Factory(list)

    def add(self, line: Skipped) -> None:
        self.count += 1
        if self.count <= MAX_SKIPPED:
            self.first.append(line)


class Sides:
    """Takes records in any order, and holds the sessions that are in them."""

    def __init__(self) -> None:
        self.sessions: dict[SessionId, SessionRecord] = {}
        #: Events that could not be written.
        self.lost = 0
        self._header: Header | None = None
        #: Sessions that the current process has written of.
        self._met: set[SessionId] = set()

    def take(self, items: Iterable[Entry | Skipped]) -> SkippedLines:
        """One record, from its beginning. Returns the lines that tell nothing."""
        self._header = None
        skipped = SkippedLines()
        for item in items:
            line = self._take_one(item)
            if line is not None:
                skipped.add(line)
        return skipped

    def _take_one(self, item: Entry | Skipped) -> Skipped | None:
        if isinstance(item, Skipped):
            return item
        event = item.event
        match event:
            case Header():
                self._header = event
                self._met = set()
            case Lost(count):
                self.lost += count
            case ClockStep(session_id=None):
                pass
            case Acked() | Received() | Sent() | Stage() | Superseded():
                record = self._session(event.session_id)
                self._take_image(record, event)
                self._note_time(record, item.at)
            case Session() | State() | Path() | Probe() | ClockStep():
                assert event.session_id is not None
                if self._header is None:
                    return Skipped(item.line, NOBODY)
                record = self._session(event.session_id)
                self._note_time(record, item.at)
                self._take_own(record, event, item.at, self._header)
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
        """`at` is the evaluator's clock, which of a client's events only its probes tell."""
        if record.session_id not in self._met:
            self._met.add(record.session_id)
            record.starts[role].append(at)

    @staticmethod
    def _side(record: SessionRecord, header: Header) -> Side:
        if header.role not in record.sides:
            record.sides[header.role] = Side(header.user_id)
        return record.sides[header.role]

    def _take_image(
        self, record: SessionRecord, event: Acked | Received | Sent | Stage | Superseded
    ) -> None:
        """These tell whose they are, or the same from both sides."""
        showing = record.showing(event.sent_at, event.image_index)
        match event:
            case Sent(image_url=image_url, copy=copy):
                showing.image_url = image_url
                showing.copies = max(showing.copies or 0, copy)
            case Acked(received_at=received_at, acked_at=acked_at):
                showing.received_at = _first(showing.received_at, received_at)
                showing.acked_at = _first(showing.acked_at, acked_at)
                times = (event.sent_at, received_at, received_at, acked_at)
                record.readings.append(Reading.by_evaluator(*times))
            case Received(image_url=image_url, received_at=received_at):
                showing.image_url = image_url
                # An ack can have been lost: then a later copy was acked.
                showing.received_at = _first(showing.received_at, received_at)
            case Superseded():
                showing.was_superseded = True
            case Stage():
                _take_stage(showing, event)

    def _take_own(
        self,
        record: SessionRecord,
        event: Session | State | Path | Probe | ClockStep,
        at: Milliseconds,
        header: Header,
    ) -> None:
        """These are told from the side of who writes."""
        side = self._side(record, header)
        match event:
            case Session(peer_id=peer_id):
                side.peer_id = peer_id
            case State(state=state, reason=reason, detail=detail):
                side.changes.append(Change(at, state, reason, detail))
            case Path(local=local, remote=remote):
                side.paths.append((local, remote))
            case ClockStep():
                side.clock_steps += 1
            case Probe(t0=t0, t1=t1, t2=t2, t3=t3):
                self._take_probe(record, header.role, (t0, t1, t2, t3))

    def _take_probe(
        self, record: SessionRecord, role: Role, times: tuple[float, float, float, float]
    ) -> None:
        _, t1, t2, _ = times
        if t2 < t1:
            return  # the clock over there was set in between
        by_evaluator = role is Role.EVALUATOR
        reading = Reading.by_evaluator(*times) if by_evaluator else Reading.by_client(*times)
        record.readings.append(reading)
        if not by_evaluator:
            self._note_start(record, role, min(reading.most_at, reading.least_at))


def _first(known: Milliseconds | None, new: Milliseconds) -> Milliseconds:
    return new if known is None else min(known, new)


def _take_stage(showing: Showing, event: Stage) -> None:
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
