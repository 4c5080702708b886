"""What the tests of the handshake share: fake descriptions and signals, and cores to begin with.

The connections are fake, too: text that parses as a description is all there is of them. So is
time: each core has a clock of its own, which stands still until it is told how long to wait.
"""

import math

from imgsync.core.codec.codec import encode_signal
from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.handshake import Handshake
from imgsync.core.handshake.inputs import (
    AttemptEvent,
    ChannelClosed,
    Described,
    EndCame,
    FromAttempt,
    Fruitless,
    Gathered,
    Hindered,
    LinkLost,
    NotMade,
    Opened,
    OwnEnd,
    PeerCame,
    PeerTaken,
    PeerWent,
    RelayBack,
    RelayLost,
    SignalCame,
    Start,
)
from imgsync.core.handshake.outputs import AddCandidate, Note, Output, Phase
from imgsync.core.protocol.signalling import (
    Answer,
    CandidateSignal,
    EndReason,
    Offer,
    RawJson,
    RequestOffer,
)


def line(port: int, transport: str = "udp", kind: str = "host") -> str:
    return f"1 1 {transport} 5 10.0.0.1 {port} typ {kind}"


def sdp(kind: str, ufrag: str, *ports: int, complete: bool = False, mid: str = "0") -> str:
    lines = [
        *("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"),
        *("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0"),
        *(f"a=mid:{mid}", "a=sctp-port:5000"),
        *(f"a=candidate:{line(port)}" for port in ports),
        *["a=end-of-candidates"] * complete,
        *(f"a=ice-ufrag:{ufrag}", "a=ice-pwd:7PIZgMdgCwsavahID6SRvX"),
        f"a=fingerprint:sha-256 {':'.join(['0A'] * 32)}",
        f"a=setup:{'actpass' if kind == 'offer' else 'active'}",
    ]
    return "".join(f"{text}\r\n" for text in lines)


def offer(ufrag: str, *ports: int, complete: bool = False) -> RawJson:
    return encode_signal(Offer(sdp("offer", ufrag, *ports, complete=complete)))


def answer(ufrag: str, *ports: int, complete: bool = False, mid: str = "0") -> RawJson:
    return encode_signal(Answer(sdp("answer", ufrag, *ports, complete=complete, mid=mid)))


def candidate(port: int | None, ufrag: str | None = None) -> RawJson:
    text = None if port is None else line(port)
    return encode_signal(CandidateSignal(text, "0", 0, ufrag))


REQUEST = encode_signal(RequestOffer())

#: What a core's chance is where nobody says otherwise: pauses are the longest that they may be.
CHANCE = 1.0


class Core(Handshake):
    """A handshake with a verb for each input, and a clock of its own."""

    def __init__(self, *, offers: bool) -> None:
        super().__init__(offers=offers, chance=lambda: self.chance)
        self.now = 0.0
        self.chance = CHANCE

    # ── of the relay ─────────────────────────────────────────────────────────────────────────────

    def start(
        self, *, resumed: bool = False, owner_unknown: bool = False, is_hidden: bool = False
    ) -> list[Output]:
        return self.handle(Start(resumed, owner_unknown, is_hidden), self.now)

    def receive(self, raw: RawJson) -> list[Output]:
        return self.handle(SignalCame(raw), self.now)

    def session_ended(self, reason: EndReason) -> list[Output]:
        return self.handle(EndCame(reason), self.now)

    def end(self, reason: EndReason = EndReason.ENDED, detail: str = "") -> list[Output]:
        """Our own side ends the session."""
        return self.handle(OwnEnd(reason, detail), self.now)

    def peer_taken(self) -> list[Output]:
        return self.handle(PeerTaken(), self.now)

    def signalling_lost(self) -> list[Output]:
        return self.handle(RelayLost(), self.now)

    def signalling_back(self) -> list[Output]:
        return self.handle(RelayBack(), self.now)

    def peer_away(self) -> list[Output]:
        return self.handle(PeerWent(), self.now)

    def peer_back(self) -> list[Output]:
        return self.handle(PeerCame(), self.now)

    # ── of an attempt ────────────────────────────────────────────────────────────────────────────

    def described(self, attempt: int, text: str) -> list[Output]:
        return self._happen(attempt, Described(text))

    def gathered(self, attempt: int, found: str | None) -> list[Output]:
        return self._happen(attempt, Gathered(found))

    def hindered(self, attempt: int, cause: Cause) -> list[Output]:
        return self._happen(attempt, Hindered(cause))

    def fruitless(self, attempt: int) -> list[Output]:
        return self._happen(attempt, Fruitless())

    def opened(self, attempt: int) -> list[Output]:
        return self._happen(attempt, Opened())

    def lost(self, attempt: int, reason: EndReason, detail: str = "") -> list[Output]:
        """The channel was closed by the other side, or the connection not made, or lost."""
        losses: dict[EndReason, AttemptEvent] = {
            EndReason.ENDED: ChannelClosed(),
            EndReason.NEGOTIATION_FAILED: NotMade(detail),
            EndReason.CONNECTION_LOST: LinkLost(detail),
        }
        return self._happen(attempt, losses[reason])

    def bare_close(self, attempt: int) -> list[Output]:
        """The channel is closed; this stack does not know by what."""
        return self._happen(attempt, ChannelClosed(is_reset=False))

    def left(self, attempt: int) -> list[Output]:
        """The other side has closed the connection."""
        return self._happen(attempt, LinkLost("closed", by_peer=True))

    def _happen(self, attempt: int, event: AttemptEvent) -> list[Output]:
        return self.handle(FromAttempt(attempt, event), self.now)

    # ── of time ──────────────────────────────────────────────────────────────────────────────────

    def wait_due(self) -> list[Output]:
        """Let it be the time that the core waits for. Returns what it does then."""
        assert self.due < math.inf, "nothing is waited for"
        self.now = self.due
        return self.tick(self.now)

    def wait(self, seconds: float) -> list[Output]:
        """Let so much time pass. Returns all that the core does meanwhile."""
        end = self.now + seconds
        outputs: list[Output] = []
        while self.due <= end:
            outputs += self.wait_due()
        self.now = end
        return outputs


def offerer() -> Core:
    """An evaluator's core whose offer, of fragment eva1, has gone out."""
    core = Core(offers=True)
    core.start()
    core.described(1, sdp("offer", "eva1"))
    return core


def answerer() -> Core:
    """A client's core that has made an answer, of fragment cli1, to the offer eva1."""
    core = Core(offers=False)
    core.start()
    core.receive(offer("eva1"))
    core.described(1, sdp("answer", "cli1"))
    return core


def connected(core: Core) -> Core:
    if core.attempt and core.phase is Phase.NEGOTIATING:
        core.receive(answer("cli1"))
        core.opened(core.attempt)
    return core


def interrupted(core: Core) -> Core:
    """Whose connection was lost, and whose first attempt to repair it, where it made one."""
    connected(core).lost(1, EndReason.CONNECTION_LOST)
    if core.phase is Phase.NEGOTIATING:
        core.wait_due()
    assert core.phase is Phase.INTERRUPTED
    return core


def wait_for_end(core: Core) -> list[Output]:
    """Let one deadline after the other pass, until nothing follows. Returns what the last does."""
    for _ in range(100):
        outputs = core.wait_due()
        if core.phase is Phase.ENDED:
            return outputs
    raise AssertionError("there is no end to the attempts")


def added(outputs: list[Output]) -> list[tuple[int, int | None]]:
    """Attempt and port of the candidates that are to be applied."""
    return [
        (output.attempt, int(output.candidate.line.split()[5]) if output.candidate else None)
        for output in outputs
        if isinstance(output, AddCandidate)
    ]


def is_noted(outputs: list[Output]) -> bool:
    return len(outputs) == 1 and isinstance(outputs[0], Note)
