"""The vocabulary of the data channel `image-sync`, and who says what to whom.

One JSON object per message, from peer to peer:

    evaluator │◀──────────────────────── ready {features} ──│ client
              │── preload {images} ───────────────────────▶│    what will be shown soon
              │── image {imageIndex, imageUrl, ...} ──────▶│
              │◀──────────────────── ack {sentAt, ...} ────│
              │◀─── stage {sentAt, stage, at, reason} ─────│    fetched, shown, hidden, failed
              │◀─ response {number, kind, value, ...} ─────│    the participant answers
              │── response_ack {number, ...} ─────────────▶│
              │◀─ identity {sha256, bytes, ...} ───────────│    of a picture fetched by its URL
              │◀─ recording {devices, troubles, at} ───────│    of the participant, where it is made
              │◀─ display {screenWidth, refreshRate, ...} ─│    what it is shown on
              │◀─ preloaded {announced, there, failed} ────│    of what was announced
              │◀──────── ping, pong (both ways) ──────────▶│

All but image, `ready` and `ack` are extensions, which a peer need not know. Names and times are as
in `core.protocol.signalling`; no signed URL is in a repr, nor what may be a secret in another one.
"""

import enum
from typing import Annotated

import attrs

from imgsync.core.protocol.numbers import HIDDEN_TAB, SUPERSEDED
from imgsync.core.protocol.signalling import OR_NULL, Detail, Features, Milliseconds, Name, Url
from imgsync.core.protocol.trials import (
    NOT_BOTH,
    ONE_SIZE,
    Frames,
    Respond,
    Scale,
    ScreenText,
    ShowFor,
    SizeDeg,
    SizeMm,
    Trial,
    is_one_size,
)
from imgsync.core.protocol.urls import public_url

Reason = Annotated[str, "reason"]
"""Up to 128 printable characters: a short word for programs, such as "http_403"."""

Duration = Annotated[float, "duration"]
"""Milliseconds, not below 0."""

Count = Annotated[int, "count"]
"""A whole number, not below 0."""

Ordinal = Annotated[int, "ordinal"]
"""A whole number, not below 1."""

Positive = Annotated[float, "positive"]
"""A number above 0."""

Length = Annotated[float, "length"]
"""Millimetres, not below 0."""

Coordinate = Annotated[float, "coordinate"]
"""Pixels, from the left or from the top of a picture."""

Sha256 = Annotated[str, "sha256"]
"""64 hexadecimal digits, small ones."""

MediaType = Annotated[str, "media type"]
"""1 to 128 printable characters, such as "image/png"."""

PingId = int | str
"""Ours are numbers; those of others are repeated as they came."""


class StageKind(enum.Enum):
    """What has become of an image."""

    FETCHED = "fetched"
    SHOWN = "shown"
    HIDDEN = "hidden"
    FAILED = "failed"


class OnsetTiming(enum.Enum):
    """What the time of an image that is shown is."""

    PRESENTED = "presented"
    FRAME = "frame"


class ResponseKind(enum.Enum):
    """How a participant has answered."""

    KEY = "key"
    TAP = "tap"
    BUTTON = "button"
    TOO_MANY = "too_many"


class PointerKind(enum.Enum):
    """How exactly a participant can point."""

    FINE = "fine"
    COARSE = "coarse"
    NONE = "none"


def is_failure(reason: str | None, *, was_shown: bool) -> bool:
    """Whether an image that failed for this reason came to nothing by a fault.

    One whose place another image took did not; nor did one that nobody looked at, if somebody has
    looked since.
    """
    return reason != SUPERSEDED and not (reason == HIDDEN_TAB and was_shown)


@attrs.frozen
class Image:
    """Show this image now. A new `sent_at` is a new showing, even of the same index.

    Without a `signed_url` it comes over the connection itself, on a channel of its own; or it is a
    `text`, for which nothing is fetched. `show_for` or `frames` say for how long it is to be up,
    `respond` which answers count, and `size_mm`, `size_deg` or `scale` how large it is to be.
    Raises ValueError where both times are given, or more than one size.
    """

    image_index: int
    image_url: Url = attrs.field(repr=public_url)
    signed_url: Url | None = attrs.field(repr=False, metadata=OR_NULL)
    sent_at: Milliseconds
    show_for: ShowFor | None = None
    frames: Frames | None = None
    respond: Respond | None = None
    text: ScreenText | None = None
    size_mm: SizeMm | None = None
    size_deg: SizeDeg | None = None
    scale: Scale | None = None

    def __attrs_post_init__(self) -> None:
        if self.show_for is not None and self.frames is not None:
            raise ValueError(NOT_BOTH)
        if not is_one_size(self.size_mm, self.size_deg, self.scale):
            raise ValueError(ONE_SIZE)

    @property
    def trial(self) -> Trial:
        """What is asked of the client beside showing it."""
        size = (self.size_mm, self.size_deg, self.scale)
        return Trial(self.show_for, self.frames, self.respond, self.text, *size)


@attrs.frozen
class UpcomingImage:
    """An image that will be shown soon, though nobody has promised it.

    Without a `signed_url` it comes over the connection itself.
    """

    image_url: Url = attrs.field(repr=public_url)
    signed_url: Url | None = attrs.field(repr=False, metadata=OR_NULL)


@attrs.frozen
class Preload:
    """What will be shown soon, the next one first."""

    TYPE = "preload"
    images: tuple[UpcomingImage, ...]


@attrs.frozen
class Ready:
    """The client can be sent images; `features` names the extensions that it speaks."""

    TYPE = "ready"
    features: tuple[str, ...] = ()


@attrs.frozen
class Ack:
    """The client has the image: `sent_at` repeats the image's, `received_at` is its own clock."""

    TYPE = "ack"
    sent_at: Milliseconds
    received_at: Milliseconds
    image_index: int | None = None


@attrs.frozen
class Drawn:
    """How large an image is on the screen.

    :param width_px: in CSS pixels, as `height_px` is.
    :param width_mm: as the screen was calibrated, and `height_mm`; None where it is not.
    :param fitted: why it is fitted to the window although a size was asked: NOT_CALIBRATED,
        NO_DISTANCE or NO_ROOM.
    """

    width_px: Positive
    height_px: Positive
    width_mm: Positive | None = None
    height_mm: Positive | None = None
    fitted: Reason | None = None


@attrs.frozen
class Stage:
    """What became of an image after the ack, and when, on the client's clock.

    `sent_at` repeats the image's; `reason` says why it failed, and `detail` what else is known of
    that, for people, without an address or a secret. Of one that is shown, `timing` may say what
    `at` is (when the system has presented it, or the frame that put it up), and `within` how far
    from that it may have come on the screen, and `drawn` how large it is there. Of one that is
    hidden, `frames` may say for how many refreshes of the screen it was up, and `dropped` how many
    of these the client missed.
    """

    TYPE = "stage"
    image_index: int
    sent_at: Milliseconds
    stage: StageKind
    at: Milliseconds
    reason: Reason | None = None
    timing: OnsetTiming | None = None
    within: Duration | None = None
    detail: Detail | None = None
    frames: Count | None = None
    dropped: Count | None = None
    drawn: Drawn | None = None


@attrs.frozen
class Identity:
    """What a client that fetched a picture by its URL has got; `sent_at` repeats the image's.

    :param bytes: how many it has.
    :param width: in pixels, as it is stored; None for one without a size of its own.
    """

    TYPE = "identity"
    image_index: int
    sent_at: Milliseconds
    sha256: Sha256
    content_type: MediaType
    bytes: Count
    width: Count | None = None
    height: Count | None = None


@attrs.frozen
class Preloaded:
    """How many of the images that were announced, and not shown yet, are at the client.

    :param announced: how many there are.
    :param there: of them are there.
    :param failed: of them could not be fetched; they are tried again when they are shown.
    :param full: whether the client has no room for more of them until some were shown.
    """

    TYPE = "preloaded"
    announced: Count
    there: Count
    failed: Count
    full: bool = False


@attrs.frozen
class Recording:
    """How the participant is recorded by the client's page, and since when, on its clock.

    :param devices: those that are recorded while an image is shown: "camera", "microphone".
    :param troubles: what is the matter, in short words, such as "microphone_ended" or
        "upload_http_403"; those that are not known mean that something is.
    """

    TYPE = "recording"
    devices: Features
    troubles: Features
    at: Milliseconds


@attrs.frozen
class Response:
    """The participant answers an image; `sent_at` repeats the image's.

    :param number: counts from 1, of all answers of this page or process.
    :param at: when it was given, by the time stamp of the event, on the client's clock.
    :param value: a key's name, a button's value, "picture" or "beside" of a tap; empty where more
        answers came than are told.
    :param reaction_time: ms since the onset; None where that is not known.
    :param within: ms that `reaction_time` is off by at most.
    :param x: of a tap on the picture, in its own pixels, from the left.
    :param y: the same from the top.
    """

    TYPE = "response"
    image_index: int
    sent_at: Milliseconds
    number: Ordinal
    at: Milliseconds
    kind: ResponseKind
    value: Name
    reaction_time: Milliseconds | None = None
    within: Duration | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None


@attrs.frozen
class ResponseAck:
    """The evaluator has this answer: the client need not tell it again."""

    TYPE = "response_ack"
    image_index: int
    sent_at: Milliseconds
    number: Ordinal


@attrs.frozen
class Display:
    """What the client shows images on since `at` of its clock; what it does not know is left out.

    :param screen_width: in CSS pixels, as are the other sizes.
    :param pixel_ratio: pixels of the screen for each of those.
    :param zoom: of the page; 1 for none.
    :param refresh_rate: of the screen as it was measured, Hz.
    :param isolated: whether the page is isolated from others, so that its clock may be fine.
    :param resolution: ms from one step of its clock to the next.
    :param languages: that are preferred, the first one most.
    :param checked_at: when a check of the device was made before the session, on its clock.
    :param check_found: what that has found in the way, in short words; none where all was well.
    :param keyboard: whether there is one; known once it was used.
    :param px_per_mm: CSS pixels in a millimetre of the screen, as it was calibrated.
    :param calibrated_by: what was held to the screen for that: "card" or "ruler".
    :param distance_mm: from the screen to the eyes.
    :param distance_by: how that is known: "blind_spot" or "typed".
    :param distance_within_mm: how far single measurements of it were from that, at most.
    """

    TYPE = "display"
    at: Milliseconds
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
class Ping:
    """Answer this at once; `t0` is the clock of who sends it."""

    TYPE = "ping"
    id: PingId
    t0: Milliseconds


@attrs.frozen
class Pong:
    """The answer: `t1` when the ping came in, `t2` when this leaves, on the answerer's clock."""

    TYPE = "pong"
    id: PingId
    t0: Milliseconds
    t1: Milliseconds
    t2: Milliseconds


TalkMessage = (
    Image
    | Preload
    | Ready
    | Ack
    | Stage
    | Response
    | ResponseAck
    | Identity
    | Preloaded
    | Recording
    | Display
)
"""What evaluator and client say to each other."""

ChannelMessage = TalkMessage | Ping | Pong
