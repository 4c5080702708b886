"""What a session measures and writes down: the other side's clock, what became of each image."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from imgsync.core.channel.clocks import Bounded, Measurements, Refused, Remark, Stepped
from imgsync.core.pictures.facts import Facts
from imgsync.core.protocol.channel import Ack, Display, Image, Pong, Recording, Response, Stage
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.core.protocol.states import StateChange
from imgsync.core.protocol.trials import Trial
from imgsync.journal import events
from imgsync.journal.events import Event

Write = Callable[[Event], None]
"""Takes what is to be written down; never waits, never raises."""


def forget(event: Event) -> None:
    """Where no record is kept."""


class SessionJournal:
    """Of one session: what it measures goes into the record, and some of it to whoever asks."""

    def __init__(self, session_id: str, write: Write) -> None:
        self._session_id = session_id
        self._write = write
        #: So that of each image and ping no line is made that nobody keeps.
        self._is_kept = write is not forget
        self._measurements = Measurements()

    # ── of both sides ────────────────────────────────────────────────────────────────────────────

    def began(self, peer_id: str, *, resumed: bool) -> None:
        """The session lives."""
        self._write(events.Session(self._session_id, peer_id, resumed))

    def changed(self, change: StateChange) -> None:
        """It is in another state."""
        self._write(events.State(self._session_id, change.state, change.reason, change.detail))

    def connected(self, path: tuple[str, str] | None) -> None:
        """A channel is open, between these types of candidates, ours and theirs."""
        self._measurements.connected()
        if path is not None:
            local, remote = path
            self._write(events.Path(self._session_id, local, remote))

    def ponged(self, pong: Pong, t3: Milliseconds) -> None:
        """A ping of ours was answered, and the answer came in at this time of ours."""
        self._remark(self._measurements.ponged(pong, t3))
        if self._is_kept:
            self._write(events.Probe(self._session_id, pong.t0, pong.t1, pong.t2, t3))

    def staged(self, said: Stage) -> Bounded | None:
        """What has become of an image at the client.

        Returns how long after the showing that was, which is for the evaluator.
        """
        self._write(
            events.Stage(
                self._session_id,
                said.image_index,
                said.sent_at,
                stage=said.stage,
                stage_at=said.at,
                reason=said.reason,
                timing=said.timing,
                within=said.within,
                detail=said.detail,
                frames=said.frames,
                dropped=said.dropped,
                drawn=said.drawn,
            )
        )
        latency = self._measurements.since(said.sent_at, said.at)
        return None if latency is None else latency.widened(said.within or 0)

    def responded(self, said: Response) -> None:
        """The participant has answered an image."""
        self._write(
            events.Response(
                self._session_id,
                said.image_index,
                said.sent_at,
                number=said.number,
                response_at=said.at,
                kind=said.kind,
                value=said.value,
                reaction_time=said.reaction_time,
                within=said.within,
                x=said.x,
                y=said.y,
            )
        )

    def identified(self, image_index: int, sent_at: Milliseconds, facts: Facts) -> None:
        """Which picture an image is: what was sent of it, or what has come."""
        self._write(
            events.Picture(
                self._session_id,
                image_index,
                sent_at,
                sha256=facts.sha256,
                content_type=facts.content_type,
                bytes=facts.bytes,
                width=facts.width,
                height=facts.height,
            )
        )

    def _remark(self, remark: Remark | None) -> None:
        match remark:
            case Stepped(by):
                self._write(events.ClockStep(self._session_id, by, "theirs"))
            case Refused() | None:
                pass

    # ── of the evaluator's ───────────────────────────────────────────────────────────────────────

    def sent(self, image: Image, copy: int, extra: Mapping[str, Any] | None = None) -> None:
        """An image was handed to the channel.

        :param extra: what else is said of it, which is written once.
        """
        if not self._is_kept:
            return
        index, url = image.image_index, image.image_url
        is_first = copy == 1
        told = dict(extra) if extra and is_first else None
        asked = image.trial if is_first and image.trial != Trial() else None
        self._write(events.Sent(self._session_id, index, url, image.sent_at, copy, told, asked))

    def acked(self, image: Image, ack: Ack, at: Milliseconds) -> Bounded:
        """The client has it, as an ack says that came in at this time of ours.

        Returns how long the image took there.
        """
        remark, latency = self._measurements.acked(image.sent_at, ack.received_at, at)
        self._remark(remark)
        if self._is_kept:
            self._write(
                events.Acked(
                    self._session_id,
                    image.image_index,
                    sent_at=image.sent_at,
                    received_at=ack.received_at,
                    acked_at=at,
                    round_trip=at - image.sent_at,
                    latency=float(latency),
                    bound=latency.bound,
                )
            )
        return latency

    def superseded(self, image: Image) -> None:
        """Another image was shown before this one was acked."""
        self._write(events.Superseded(self._session_id, image.image_index, image.sent_at))

    def recorded(self, said: Recording) -> None:
        """The participant is recorded in another way, or something else is the matter with it."""
        self._write(events.Recording(self._session_id, said.devices, said.troubles, said.at))

    def displayed(self, said: Display) -> None:
        """The client shows images on something else."""
        known = attrs.asdict(said, recurse=False)
        since = known.pop("at")
        self._write(events.Display(self._session_id, since, **known))

    def study_began(self, name: str, order: events.Order, seed: int | None, trials: int) -> None:
        """What is shown in this session is a study."""
        self._write(events.Study(self._session_id, name, order, seed, trials))

    def marked(
        self, of: tuple[int | None, Milliseconds | None], at: Milliseconds, **mark: Any
    ) -> None:
        """The evaluator notes this of what is shown.

        :param of: index and time of that showing; None before the first.
        :param mark: score and text.
        """
        self._write(events.Mark(self._session_id, *of, at, **mark))

    # ── of the client's ──────────────────────────────────────────────────────────────────────────

    def received(self, image: Image, at: Milliseconds) -> None:
        """An image has come in that was not there before."""
        if self._is_kept:
            index, url = image.image_index, image.image_url
            self._write(events.Received(self._session_id, index, url, image.sent_at, at))
