"""The vocabulary of the record, schema version 1: what can stand in a line.

Each peer writes a file of its own, one JSON object per line:

    {"event": NAME, "at": WHEN, ...}        all fields of the event, null where nothing is known

Names are snake_case here and camelCase in the file. Times are milliseconds since the Unix epoch,
durations are milliseconds. `at` is the writer's own clock at the moment of writing. "Ours" is the
clock of who writes, "theirs" that of the other side. No token, no signature and no signed URL has
a field here, and image URLs lose what could hold one.
"""

from typing import Literal

import attrs

from imgsync.core.protocol.channel import (
    Coordinate,
    Count,
    Drawn,
    Duration,
    Length,
    MediaType,
    OnsetTiming,
    Ordinal,
    PointerKind,
    Positive,
    Reason,
    ResponseKind,
    Sha256,
    StageKind,
)
from imgsync.core.protocol.extra import Extra
from imgsync.core.protocol.signalling import (
    Detail,
    EndReason,
    Features,
    Milliseconds,
    Name,
    Role,
    SessionId,
    Url,
    UserId,
)
from imgsync.core.protocol.states import SessionState
from imgsync.core.protocol.trials import Trial
from imgsync.core.protocol.urls import public_url

Order = Literal["given", "shuffled"]
"""Of what a study shows."""


@attrs.frozen
class Header:
    """A process begins to write; what follows is on its clock, up to the next header.

    :param schema: the version of this vocabulary.
    :param version: imgsync's.
    :param libraries: versions of those that decide how a session goes, by name.
    :param wall_clock: what the wall clock says now; `at` may differ, as it was taken from the wall
        clock when the process began and is carried on by the monotonic one.
    :param monotonic_clock: what the monotonic clock says at the same moment, ms since its start.
    """

    EVENT = "header"
    schema: int
    role: Role
    user_id: UserId
    version: str
    python: str
    system: str
    libraries: dict[str, str]
    wall_clock: Milliseconds
    monotonic_clock: Milliseconds


@attrs.frozen
class Session:
    """A session has begun, or was taken up again.

    :param peer_id: the user on the other side.
    """

    EVENT = "session"
    session_id: SessionId
    peer_id: UserId
    resumed: bool


@attrs.frozen
class State:
    """A session is in another state.

    :param reason: why it was interrupted or has ended; null for the other states.
    :param detail: the same in words; empty where there is no more to say.
    """

    EVENT = "state"
    session_id: SessionId
    state: SessionState
    reason: EndReason | None
    detail: str


@attrs.frozen
class Path:
    """The way that the connection takes: the types of the two ICE candidates in use."""

    EVENT = "path"
    session_id: SessionId
    local: Name
    remote: Name


@attrs.frozen
class Probe:
    """One ping and its pong, as they were: `t0` and `t3` on our clock, `t1` and `t2` on theirs."""

    EVENT = "probe"
    session_id: SessionId
    t0: Milliseconds
    t1: Milliseconds
    t2: Milliseconds
    t3: Milliseconds


@attrs.frozen
class ClockStep:
    """A clock was set.

    :param session_id: null where it is not seen in a session.
    :param by: how far, ms; positive where it is ahead of what it was.
    """

    EVENT = "clock_step"
    session_id: SessionId | None
    by: Milliseconds
    whose: Literal["ours", "theirs"]


@attrs.frozen
class Sent:
    """Evaluator: an image was handed to the channel.

    :param sent_at: of the showing, the same for each copy; evaluator's clock.
    :param copy: 1 for the first sending.
    :param extra: what else is said of the image; with the first sending alone, as is `trial`.
    :param trial: what is asked of the client beside showing it.
    """

    EVENT = "sent"
    session_id: SessionId
    image_index: int
    image_url: Url = attrs.field(converter=public_url)
    sent_at: Milliseconds
    copy: int
    extra: Extra | None = attrs.field(default=None, hash=False)
    trial: Trial | None = None


@attrs.frozen
class Acked:
    """Evaluator: the client has acked an image.

    :param received_at: client's clock.
    :param acked_at: evaluator's clock.
    :param round_trip: `acked_at - sent_at`.
    :param latency: one way, by what was known of the clocks then; null where nothing was.
    :param bound: how wrong that can be.
    """

    EVENT = "acked"
    session_id: SessionId
    image_index: int
    sent_at: Milliseconds
    received_at: Milliseconds
    acked_at: Milliseconds
    round_trip: Milliseconds
    latency: Milliseconds | None
    bound: Milliseconds | None


@attrs.frozen
class Superseded:
    """Evaluator: another image was shown before this one was acked."""

    EVENT = "superseded"
    session_id: SessionId
    image_index: int
    sent_at: Milliseconds


@attrs.frozen
class Stage:
    """What became of an image at the client; both sides write it.

    :param stage_at: client's clock.
    :param reason: why it failed; null for the other stages.
    :param timing: what `stage_at` is of an image that is shown, where the client says it.
    :param within: how far from that it may have come on the screen.
    :param detail: what else is known of a failure, for people.
    :param frames: for how many refreshes of the screen an image that is hidden was up.
    :param dropped: how many of these the client missed.
    :param drawn: how large one that is shown is there.
    """

    EVENT = "stage"
    session_id: SessionId
    image_index: int
    sent_at: Milliseconds
    stage: StageKind
    stage_at: Milliseconds
    reason: Reason | None
    timing: OnsetTiming | None = None
    within: Duration | None = None
    detail: Detail | None = None
    frames: Count | None = None
    dropped: Count | None = None
    drawn: Drawn | None = None


@attrs.frozen
class Response:
    """The participant has answered an image; both sides write it.

    :param number: counts from 1, of all answers of this page or process.
    :param response_at: client's clock.
    :param reaction_time: ms since the onset; null where that is not known.
    :param within: how wrong that can be, ms.
    :param x: of a tap on the picture, in its own pixels, from the left; `y` from the top.
    """

    EVENT = "response"
    session_id: SessionId
    image_index: int
    sent_at: Milliseconds
    number: Ordinal
    response_at: Milliseconds
    kind: ResponseKind
    value: Name
    reaction_time: Milliseconds | None = None
    within: Duration | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None


@attrs.frozen
class Picture:
    """Which picture an image was, byte by byte; each side writes what it knows of that.

    The evaluator writes that of a file of its own with the first sending, and what the client says
    that it has got, where that is news. The client writes what it has got.

    :param content_type: the media type of its kind, as its bytes have it.
    :param bytes: how many.
    :param width: pixels, as is `height`; null where the picture itself does not say.
    """

    EVENT = "picture"
    session_id: SessionId
    image_index: int
    sent_at: Milliseconds
    sha256: Sha256
    content_type: MediaType
    bytes: Count
    width: Count | None
    height: Count | None


@attrs.frozen
class Recording:
    """Evaluator: how the client's page records its participant.

    :param devices: those that are recorded while an image is shown.
    :param troubles: what is the matter, in short words.
    :param since: client's clock.
    """

    EVENT = "recording"
    session_id: SessionId
    devices: Features
    troubles: Features
    since: Milliseconds


@attrs.frozen
class Display:
    """Evaluator: what the client shows images on, as `Display` of the channel has it.

    :param since: client's clock.
    """

    EVENT = "display"
    session_id: SessionId
    since: Milliseconds
    screen_width: Count | None = None
    screen_height: Count | None = None
    window_width: Count | None = None
    window_height: Count | None = None
    pixel_ratio: Positive | None = None
    zoom: Positive | None = None
    refresh_rate: Positive | None = None
    isolated: bool | None = None
    resolution: Duration | None = None
    browser: Name | None = None
    system: Name | None = None
    languages: Features = ()
    pointer: PointerKind | None = None
    checked_at: Milliseconds | None = None
    check_found: Features = ()
    keyboard: bool | None = None
    px_per_mm: Positive | None = None
    calibrated_by: Reason | None = None
    distance_mm: Positive | None = None
    distance_by: Reason | None = None
    distance_within_mm: Length | None = None


@attrs.frozen
class Study:
    """Evaluator: what is shown in this session is a study.

    :param order: of its entries; `seed` is what they were shuffled by, null for those as given.
    :param trials: how many there are.
    """

    EVENT = "study"
    session_id: SessionId
    name: Name
    order: Order
    seed: int | None
    trials: Count


@attrs.frozen
class Mark:
    """Evaluator: a note or a score of what was shown then; never both null.

    :param image_index: null before the first showing, as `sent_at` is.
    :param mark_at: evaluator's clock.
    """

    EVENT = "mark"
    session_id: SessionId
    image_index: int | None
    sent_at: Milliseconds | None
    mark_at: Milliseconds
    score: Milliseconds | None
    text: str | None


@attrs.frozen
class Received:
    """Client: an image has come in.

    :param sent_at: evaluator's clock.
    :param received_at: client's clock.
    """

    EVENT = "received"
    session_id: SessionId
    image_index: int
    image_url: Url = attrs.field(converter=public_url)
    sent_at: Milliseconds
    received_at: Milliseconds


@attrs.frozen
class Lost:
    """Events that could not be written here, counted once writing works again.

    :param why: why, in the system's words.
    """

    EVENT = "lost"
    count: int
    why: str


ImageEvent = Sent | Acked | Superseded | Stage | Response | Picture | Received
"""Of one showing; they name whose they are, or are the same from both sides."""

CourseEvent = Session | State | Path | Probe | ClockStep | Recording | Display | Study | Mark
"""Of a session, as who writes sees it."""

Event = Header | CourseEvent | ImageEvent | Lost
