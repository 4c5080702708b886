"""What the tests of the handshake share: fake descriptions and signals, and cores to begin with.

The connections are fake, too: text that parses as a description is all there is of them.
"""

from imgsync.core.codec.codec import encode_signal
from imgsync.core.handshake.handshake import Handshake
from imgsync.core.handshake.outputs import AddCandidate, Note, Output, Phase, SetDeadline
from imgsync.core.protocol.signalling import (
    Answer,
    CandidateSignal,
    EndReason,
    Offer,
    RawJson,
    RequestOffer,
)


def line(port: int, transport: str = "udp") -> str:
    return f"1 1 {transport} 5 10.0.0.1 {port} typ host"


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


def offerer() -> Handshake:
    """An evaluator's core whose offer, of fragment eva1, has gone out."""
    core = Handshake(offers=True)
    core.start()
    core.described(1, sdp("offer", "eva1"))
    return core


def answerer() -> Handshake:
    """A client's core that has made an answer, of fragment cli1, to the offer eva1."""
    core = Handshake(offers=False)
    core.start()
    core.receive(offer("eva1"))
    core.described(1, sdp("answer", "cli1"))
    return core


def connected(core: Handshake) -> Handshake:
    if core.attempt and core.phase is Phase.NEGOTIATING:
        core.receive(answer("cli1"))
        core.opened(core.attempt)
    return core


def interrupted(core: Handshake) -> Handshake:
    """Whose connection was lost, and whose first attempt to repair it, where it made one."""
    connected(core).lost(1, EndReason.CONNECTION_LOST)
    core.timed_out(core.attempt)
    assert core.phase is Phase.INTERRUPTED
    return core


def time_out(core: Handshake) -> list[Output]:
    """Let one attempt after the other run into its deadline, until there is no other."""
    for _ in range(3):
        outputs = core.timed_out(core.attempt)
        if not any(isinstance(output, SetDeadline) for output in outputs):
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
