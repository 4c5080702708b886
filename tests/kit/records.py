"""Records of a session as its two sides would have written them, of which the truth is known."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path as FilePath
from random import Random

import attrs

from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.numbers import SCHEMA
from imgsync.core.protocol.signalling import EndReason, Role
from imgsync.core.protocol.states import SessionState
from imgsync.journal.events import (
    Acked,
    Event,
    Header,
    Path,
    Probe,
    Received,
    Sent,
    Session,
    Stage,
    State,
    Superseded,
)
from imgsync.journal.lines import encode_line

EPOCH = 1_800_000_000_000.25  # a clock of whole milliseconds is a coarse one
HOUR = 3_600_000.0


@attrs.frozen
class Truth:
    """What really happened with an image: ms, and None where it did not."""

    sent_at: float
    latency: float | None
    onset: float | None


@attrs.define
class World:
    """A session whose evaluator's clock is right, and whose client's is ahead by `offset` ms at
    EPOCH and gains `drift` of all time."""

    offset: float = HOUR
    drift: float = 100e-6
    session: str = "s-1"
    #: When the client's clock was set, and how far.
    steps: list[tuple[float, float]] = attrs.Factory(list)
    random: Random = attrs.Factory(lambda: Random(1))
    #: (when, line) of each side.
    evaluator: list[tuple[float, bytes]] = attrs.Factory(list)
    client: list[tuple[float, bytes]] = attrs.Factory(list)
    truths: dict[int, Truth] = attrs.Factory(dict)

    def offset_at(self, at: float) -> float:
        steps = sum(by for when, by in self.steps if at >= when)
        return self.offset + self.drift * (at - EPOCH) + steps

    def theirs(self, at: float) -> float:
        return round(at + self.offset_at(at), 3)

    def by_evaluator(self, at: float, event: Event) -> None:
        self.evaluator.append((at, encode_line(event, round(at, 3))))

    def by_client(self, at: float, event: Event) -> None:
        self.client.append((at, encode_line(event, self.theirs(at))))

    def way(self, mean: float) -> float:
        """One that a message takes: never shorter than a fifth, and now and then much longer."""
        return mean * (0.2 + self.random.expovariate(1.25))

    def begin(self, *, evaluator: str = "dr-lee", client: str = "patient-7") -> None:
        self.by_evaluator(EPOCH, header(Role.EVALUATOR, evaluator, EPOCH))
        self.by_client(EPOCH, header(Role.CLIENT, client, self.theirs(EPOCH)))
        self.by_evaluator(EPOCH + 1, Session(self.session, client, False))
        self.by_client(EPOCH + 2, Session(self.session, evaluator, False))
        self.state(EPOCH + 2, SessionState.CONNECTING)
        self.state(EPOCH + 60, SessionState.CONNECTED)
        self.by_evaluator(EPOCH + 61, Path(self.session, "host", "srflx"))

    def state(
        self, at: float, state: SessionState, reason: EndReason | None = None, detail: str = ""
    ) -> None:
        """Both sides see it."""
        for write in (self.by_evaluator, self.by_client):
            write(at, State(self.session, state, reason, detail))

    def probe(self, at: float, there: float = 20.0, back: float = 5.0) -> None:
        """One of each side."""
        arrived = round(at + self.way(there), 3)
        left = round(arrived + 0.05, 3)
        end = round(left + self.way(back), 3)
        at = round(at, 3)
        probe = Probe(self.session, at, self.theirs(arrived), self.theirs(left), end)
        self.by_evaluator(end, probe)
        arrived = round(at + self.way(back), 3)
        left = round(arrived + 0.05, 3)
        end = left + self.way(there)
        self.by_client(end, Probe(self.session, self.theirs(at), arrived, left, self.theirs(end)))

    def show(
        self,
        index: int,
        at: float,
        *,
        there: float = 20.0,
        back: float = 5.0,
        url: str = "",
        outcome: StageKind = StageKind.SHOWN,
        is_acked: bool = True,
    ) -> None:
        """An image, its ack and what became of it; both sides write all of that."""
        sent_at, arrived = round(at, 3), round(at + self.way(there), 3)
        url = url or f"http://127.0.0.1/{index}.png?sig=secret"
        received_at = self.theirs(arrived)
        self.by_evaluator(sent_at, Sent(self.session, index, url, sent_at, 1))
        self.by_client(arrived, Received(self.session, index, url, sent_at, received_at))
        acked_at = round(arrived + self.way(back), 3)
        if not is_acked:
            self.truths[index] = Truth(sent_at, arrived - sent_at, None)
            self.by_evaluator(acked_at, Superseded(self.session, index, sent_at))
            return
        round_trip = acked_at - sent_at
        acked = Acked(self.session, index, sent_at, received_at, acked_at, round_trip, None, None)
        self.by_evaluator(acked_at, acked)
        fetched = arrived + 30
        self._stage(index, sent_at, StageKind.FETCHED, fetched, back)
        onset = fetched + self.way(10)
        reason = "http_403" if outcome is StageKind.FAILED else None
        self._stage(index, sent_at, outcome, onset, back, reason)
        is_shown = outcome is StageKind.SHOWN
        self.truths[index] = Truth(
            sent_at, arrived - sent_at, onset - sent_at if is_shown else None
        )

    def _stage(
        self,
        index: int,
        sent_at: float,
        stage: StageKind,
        at: float,
        back: float,
        reason: str | None = None,
    ) -> None:
        event = Stage(self.session, index, sent_at, stage, self.theirs(at), reason)
        self.by_client(at, event)
        self.by_evaluator(at + self.way(back), event)

    def lines(self, role: Role) -> bytes:
        """The record of a side, in the order in which it was written."""
        side = self.evaluator if role is Role.EVALUATOR else self.client
        return b"".join(line for _, line in sorted(side, key=itemgetter(0)))

    def write(self, folder: FilePath) -> tuple[FilePath, FilePath]:
        """Both records: the evaluator's and the client's."""
        paths = folder / "evaluator.jsonl", folder / "client.jsonl"
        for path, role in zip(paths, (Role.EVALUATOR, Role.CLIENT), strict=True):
            path.write_bytes(self.lines(role))
        return paths


def header(role: Role, user_id: str, at: float) -> Header:
    return Header(SCHEMA, role, user_id, "0.1.0", "3.11.7", "Linux", {"trio": "0.35"}, at, 1000.0)


def long_session(images: int, probes: int, *, step: float = 2_000.0) -> World:
    """Probes every so many ms, images spread among them."""
    world = World()
    world.begin()
    for number in range(probes):
        world.probe(EPOCH + 100 + number * step)
    for index in range(images):
        world.show(index, EPOCH + 150 + index * probes * step / images)
    world.state(EPOCH + 200 + probes * step, SessionState.ENDED, EndReason.ENDED)
    return world


def eventful_session() -> World:
    """Ten minutes with everything in them that can happen."""
    world = World()
    world.begin()
    for number in range(300):
        world.probe(EPOCH + 100 + number * 2_000)
    for index in range(120):
        outcome = StageKind.FAILED if index % 40 == 17 else StageKind.SHOWN
        is_acked = index != 61
        world.show(index, EPOCH + 1_000 + index * 5_000, outcome=outcome, is_acked=is_acked)
    for begin, length in ((200_000, 12_000), (305_000, 31_000)):
        world.state(EPOCH + begin, SessionState.SUSPECT)
        world.state(
            EPOCH + begin + 4_000, SessionState.INTERRUPTED, EndReason.CONNECTION_LOST, "<b>gone"
        )
        world.state(EPOCH + begin + length, SessionState.RESUMED)
    world.state(EPOCH + 605_000, SessionState.ENDED, EndReason.ENDED)
    return world
