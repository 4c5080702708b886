"""The vocabulary of signalling, and who says what to whom.

On a WebSocket, `{"event": ..., "data": {...}}`; the data channel has `core.protocol.channel`:

    evaluator                    relay                     client
        │── register ──────────────▶│◀──────────── register ──│
        │◀────────────── registered ─│─ registered ──────────▶│
        │◀──────────────── presence ─│  (at each change)
        │                            │─ waiting ─────────────▶│    (pages, of their other windows)
        │                            │◀─────────────── enter ──│    (pages, when they were touched)
        │◀───────────── ice_servers ─│─ ice_servers ─────────▶│    new credentials
        │── start_session ─────────▶│  (and the offer behind it, where all three speak that)
        │◀───────── session_started ─│─ session_started ─────▶│
        │── webrtc_signal ─────────▶│─ webrtc_signal ───────▶│    offer, candidates
        │◀─────────── webrtc_signal ─│◀─────── webrtc_signal ──│    answer, candidates
        │◀─ peer_away, peer_back ────│                         │    (or the client)
        │── end_session ───────────▶│                         │    (or the client)
        │◀─────────── session_ended ─│─ session_ended ───────▶│
        │◀─────────────────── error ─│─ error ───────────────▶│
        │── ping ──────────────────▶│◀──────────────── ping ──│    (pages)
        │◀──────────────────── pong ─│─ pong ────────────────▶│

Field names are snake_case here and camelCase on the wire; times are milliseconds since the Unix
epoch. Tokens, signed URLs and signals (which hold ICE passwords) are left out of every repr, so
that no log can hold one.
"""

import enum
from typing import Annotated, Literal, NewType

import attrs

RawJson = NewType("RawJson", str)
"""JSON text that is passed on to the letter: keys, order, digits and escapes as they came."""

UserId = Annotated[str, "user id"]
"""1 to 128 printable characters; of any text with a bound, see `core.protocol.lengths`."""

Name = Annotated[str, "name"]
"""Up to 128 printable characters; every evaluator is told those of every client."""

Group = Annotated[str, "group"]
"""1 to 128 printable characters, in tokens: whom evaluators may see goes by it."""

Features = Annotated[tuple[str, ...], "features"]
"""What a peer speaks of the extensions: up to 16 names of 1 to 32 printable characters."""

SessionId = Annotated[str, "session id"]
"""1 to 128 printable characters; made by a relay so that it can't be guessed."""

Ref = Annotated[str, "ref"]
"""1 to 64 printable characters: how an evaluator names a question of its own, another for each."""

Url = Annotated[str, "URL"]
"""Printable characters only: it is written to terminals and logs."""

Detail = Annotated[str, "detail"]
"""Up to 200 printable characters: why a session ended, in words that both sides may read."""

Milliseconds = int | float
"""Since the Unix epoch. An int stays an int, so that an ack repeats what was sent unchanged."""


UNREAD = {"unread": True}
"""Metadata of a field that no peer goes by: what comes in and is not of its type is as good as
null."""

OR_NULL = {"or_null": True}
"""Metadata of a field that we always write, as null where it has no value. One that is missing is
as good as null."""


class Role(enum.Enum):
    """What a socket has registered as."""

    EVALUATOR = "evaluator"
    CLIENT = "client"

    # By what it is: a relay looks sessions up by it with every signal.
    __hash__ = object.__hash__


class PresenceState(enum.Enum):
    """What evaluators are told of a client."""

    AVAILABLE = "available"
    WAITING = "waiting"
    BUSY = "busy"
    OFFLINE = "offline"


class Door(enum.Enum):
    """Where the page of a participant stands: before its door until somebody has touched it."""

    WAITING = "waiting"
    ENTERED = "entered"


class ErrorCode(enum.Enum):
    """`error.code`."""

    BAD_MESSAGE = "bad_message"
    UNKNOWN_EVENT = "unknown_event"
    NOT_REGISTERED = "not_registered"
    ALREADY_REGISTERED = "already_registered"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    UNKNOWN_CLIENT = "unknown_client"
    CLIENT_BUSY = "client_busy"
    NO_SESSION = "no_session"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"

    @property
    def may_pass(self) -> bool:
        """Those after which `start_session` may be answered otherwise: who is not there may come,
        who is in another session may leave it, and a relay may have its others back."""
        return self in (ErrorCode.UNKNOWN_CLIENT, ErrorCode.CLIENT_BUSY, ErrorCode.UNAVAILABLE)

    @property
    def is_taken(self) -> bool:
        """Those after which the client is known to be in a session with another evaluator."""
        return self is ErrorCode.CLIENT_BUSY

    @property
    def is_outage(self) -> bool:
        """Those of a relay that could do nothing, whatever was said. It is said again some time
        later, as nothing tells when it can be done."""
        return self is ErrorCode.UNAVAILABLE


class CloseCode(enum.IntEnum):
    """Why a WebSocket was closed: RFC 6455, section 7.4, and our own from 4000 on."""

    NORMAL = 1000
    GOING_AWAY = 1001
    NO_STATUS = 1005
    ABNORMAL = 1006
    TOO_LARGE = 1009
    RELAY_FULL = 1013
    UNAUTHORIZED = 4001
    REGISTER_TIMEOUT = 4008
    TOO_SLOW = 4013
    RATE_LIMITED = 4029


class EndReason(enum.Enum):
    """Why a session ended. The first six are said by the relay, the others found by a peer."""

    ENDED = "ended"
    REPLACED = "replaced"
    PEER_GONE = "peer_gone"
    CLAIMED_ELSEWHERE = "claimed_elsewhere"
    RELAY_SHUTDOWN = "relay_shutdown"
    TOKEN_EXPIRED = "token_expired"
    CONNECTION_LOST = "connection_lost"
    CONNECT_TIMEOUT = "connect_timeout"
    NEGOTIATION_FAILED = "negotiation_failed"
    UNSUPPORTED = "unsupported"
    SIGNALLING_LOST = "signalling_lost"

    @property
    def in_good_order(self) -> bool:
        """Whether one of the two wanted this end."""
        return self is EndReason.ENDED

    @property
    def sentence(self) -> str:
        """The reason in words, for people."""
        return _SENTENCES[self]

    def in_words(self, detail: str) -> str:
        """The sentence, and what there is to say beside it; the same wherever people read it."""
        return f"{self.sentence} ({detail})" if detail else self.sentence


_SENTENCES = {
    EndReason.ENDED: "one of the two sides ended it",
    EndReason.REPLACED: "another session with this client took its place",
    EndReason.PEER_GONE: "the other side has gone",
    EndReason.CLAIMED_ELSEWHERE: "another window or device of this user took it",
    EndReason.RELAY_SHUTDOWN: "the relay was shut down before the two sides were connected",
    EndReason.TOKEN_EXPIRED: "the token of one of the two sides has expired",
    EndReason.CONNECTION_LOST: "the connection to the other side was lost",
    EndReason.CONNECT_TIMEOUT: "no connection to the other side came about in time",
    EndReason.NEGOTIATION_FAILED: "the two sides could not agree on a connection",
    EndReason.UNSUPPORTED: "one of the two sides can't make such a connection",
    EndReason.SIGNALLING_LOST: "the relay was lost before the two sides were connected",
}

PeerReason = Annotated[EndReason, "a peer's reason"]
"""One of PEER_REASONS."""

PEER_REASONS = (
    EndReason.ENDED,
    EndReason.CONNECT_TIMEOUT,
    EndReason.NEGOTIATION_FAILED,
    EndReason.CONNECTION_LOST,
    EndReason.UNSUPPORTED,
)
"""What a peer may say of why it ends a session; the relay's own reasons are the relay's to say."""


# ── peer to relay ────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Register:
    """First frame of a peer. `state` is for clients that have a door, which are pages."""

    EVENT = "register"
    user_id: UserId
    role: Role
    package: Literal["webrtc"]
    name: Name | None = None
    token: str | None = attrs.field(default=None, repr=False)
    features: Features = ()
    state: Door | None = None


@attrs.frozen
class Enter:
    """Somebody is before this window of a client: it is the one that takes part."""

    EVENT = "enter"


@attrs.frozen
class StartSession:
    """An evaluator asks for a session with a client.

    `session_id` takes up again a session that a relay before this one, or this one, had started.
    `ref` is repeated in the answer, and names the session until that has told its id.
    """

    EVENT = "start_session"
    client_id: UserId
    session_id: SessionId | None = None
    ref: Ref | None = None


@attrs.frozen
class SendSignal:
    """A handshake message on its way to the relay; `signal` is not read there.

    `ref` is that of the `start_session` that it follows, whose answer was not there yet.
    """

    EVENT = "webrtc_signal"
    target_user_id: UserId
    signal: RawJson = attrs.field(repr=False)
    session_id: SessionId | None = None
    ref: Ref | None = None


@attrs.frozen
class EndSession:
    """Either side ends a session; without a reason it is `ended`."""

    EVENT = "end_session"
    session_id: SessionId
    reason: PeerReason = EndReason.ENDED
    detail: Detail | None = None


@attrs.frozen
class RelayPing:
    """A page looks whether the relay is still there, as browsers send no pings of WebSockets."""

    EVENT = "ping"
    id: int


# ── relay to peer ────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class IceServer:
    """One entry of `RTCConfiguration.iceServers`."""

    urls: str | tuple[str, ...]
    username: str | None = None
    credential: str | None = attrs.field(default=None, repr=False)

    @property
    def each_url(self) -> tuple[str, ...]:
        """One or several: always as several."""
        return (self.urls,) if isinstance(self.urls, str) else self.urls


@attrs.frozen(cache_hash=True)
class ClientEntry:
    """A client as evaluators see it: online when they register, and later what has changed."""

    user_id: UserId
    state: PresenceState
    name: Name | None = None
    features: Features = ()


@attrs.frozen
class Registered:
    """The registration was accepted. `clients` is for evaluators only.

    `recording_url` is for clients: where a page that records posts its recordings. `features` are
    what the relay speaks of the extensions.
    """

    EVENT = "registered"
    user_id: UserId | None = attrs.field(metadata=UNREAD)
    role: Role | None = attrs.field(metadata=UNREAD)
    name: Name | None = attrs.field(default=None, metadata=UNREAD)
    ice_servers: tuple[IceServer, ...] | None = None
    clients: tuple[ClientEntry, ...] | None = None
    recording_url: Url | None = None
    features: Features = ()


@attrs.frozen
class IceServersChanged:
    """What `registered` has said of them holds no more, such as credentials that will expire."""

    EVENT = "ice_servers"
    ice_servers: tuple[IceServer, ...]


@attrs.frozen
class SessionStarted:
    """A session lives. The client is told the evaluator, the evaluator is told the client.

    `resumed`: the session is an old one, which this socket takes part in from now on. `features`
    are the client's, for the evaluator; `ref` is that of its question.
    """

    EVENT = "session_started"
    session_id: SessionId
    evaluator_id: UserId | None = None
    evaluator_name: Name | None = None
    client_id: UserId | None = None
    resumed: bool = False
    features: Features = ()
    ref: Ref | None = None


@attrs.frozen
class ForwardedSignal:
    """A handshake message as it leaves the relay; the sender is the relay's word, not its own."""

    EVENT = "webrtc_signal"
    from_user_id: UserId
    signal: RawJson = attrs.field(repr=False)
    session_id: SessionId | None = None


@attrs.frozen(cache_hash=True)
class Presence:
    """A client came, went, was touched, became busy or free again, or speaks something else."""

    EVENT = "presence"
    user_id: UserId
    state: PresenceState
    name: Name | None = None
    features: Features = ()


@attrs.frozen(cache_hash=True)
class Presences:
    """What is news of several clients, to evaluators that have named the feature."""

    EVENT = "presences"
    clients: tuple[ClientEntry, ...]


@attrs.frozen
class Waiting:
    """To a window that waits before its door: where its user stands by the others, which is offline
    where none of them has entered. `again`: it had entered, and has to wait from now on."""

    EVENT = "waiting"
    others: PresenceState
    again: bool = False


@attrs.frozen
class PeerAway:
    """The other peer has lost the relay; the session is kept for a while."""

    EVENT = "peer_away"
    session_id: SessionId
    user_id: UserId | None = attrs.field(metadata=UNREAD)


@attrs.frozen
class PeerBack:
    """The other peer has registered again in time."""

    EVENT = "peer_back"
    session_id: SessionId
    user_id: UserId | None = attrs.field(metadata=UNREAD)


@attrs.frozen
class SessionEndedEvent:
    """A session is over; `by_user_id` where one peer caused it, `detail` where it has said more."""

    EVENT = "session_ended"
    session_id: SessionId
    reason: EndReason
    by_user_id: UserId | None = attrs.field(default=None, metadata=UNREAD)
    detail: Detail | None = None


@attrs.frozen
class ErrorEvent:
    """The relay refuses something; `message` says what to do, `event` and `ref` what it answers."""

    EVENT = "error"
    code: ErrorCode
    message: str
    event: str | None = None
    ref: Ref | None = None


@attrs.frozen
class RelayPong:
    """The answer to a ping, with its id."""

    EVENT = "pong"
    id: int


ToRelay = Register | Enter | StartSession | SendSignal | EndSession | RelayPing
FromRelay = (
    Registered
    | IceServersChanged
    | SessionStarted
    | ForwardedSignal
    | Presence
    | Presences
    | Waiting
    | PeerAway
    | PeerBack
    | SessionEndedEvent
    | ErrorEvent
    | RelayPong
)


# ── inside `signal` ──────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Offer:
    """The evaluator's session description."""

    TYPE = "offer"
    sdp: str = attrs.field(repr=False)


@attrs.frozen
class Answer:
    """The client's session description."""

    TYPE = "answer"
    sdp: str = attrs.field(repr=False)


@attrs.frozen
class RequestOffer:
    """A client without a peer connection asks for a fresh offer in a live session."""

    TYPE = "request_offer"


@attrs.frozen
class CandidateSignal:
    """One ICE candidate in the shape of a browser's `RTCIceCandidate.toJSON()`.

    `candidate` is None at the end of candidates, however that was spelled.
    """

    candidate: str | None
    sdp_mid: str | None = attrs.field(default=None, metadata=UNREAD)
    sdp_m_line_index: int | None = attrs.field(default=None, metadata=UNREAD)
    username_fragment: str | None = None


Signal = Offer | Answer | RequestOffer | CandidateSignal
