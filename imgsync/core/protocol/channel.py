"""The vocabulary of the data channel `image-sync`, and who says what to whom.

One JSON object per message, from peer to peer:

    evaluator │◀──────────────────────── ready {features} ──│ client
              │── preload {images} ───────────────────────▶│    what will be shown soon
              │── image {imageIndex, imageUrl, ...} ──────▶│
              │◀──────────────────── ack {sentAt, ...} ────│
              │◀─── stage {sentAt, stage, at, reason} ─────│    fetched, shown, hidden, failed
              │◀─ identity {sha256, bytes, ...} ───────────│    of a picture fetched by its URL
              │◀─ recording {devices, troubles, at} ───────│    of the participant, where it is made
              │◀─ preloaded {announced, there, failed} ────│    of what was announced
              │◀──────── ping, pong (both ways) ──────────▶│

All but image, `ready` and `ack` are extensions, which a peer need not know. Names and times are as
in `core.protocol.signalling`; no signed URL is in a repr, nor what may be a secret in another one.
"""

import enum
from typing import Annotated

import attrs

from imgsync.core.protocol.numbers import HIDDEN_TAB, SUPERSEDED
from imgsync.core.protocol.signalling import OR_NULL, Detail, Features, Milliseconds, Url
from imgsync.core.protocol.urls import public_url

Reason = Annotated[str, "reason"]
"""Up to 128 printable characters: a short word for programs, such as "http_403"."""

Duration = Annotated[float, "duration"]
"""Milliseconds, not below 0."""

Count = Annotated[int, "count"]
"""A whole number, not below 0."""

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


def is_failure(reason: str | None, *, was_shown: bool) -> bool:
    """Whether an image that failed for this reason came to nothing by a fault.

    One whose place another image took did not; nor did one that nobody looked at, if somebody has
    looked since.
    """
    return reason != SUPERSEDED and not (reason == HIDDEN_TAB and was_shown)


@attrs.frozen
class Image:
    """Show this image now. A new `sent_at` is a new showing, even of the same index.

    Without a `signed_url` it comes over the connection itself, on a channel of its own.
    """

    image_index: int
    image_url: Url = attrs.field(repr=public_url)
    signed_url: Url | None = attrs.field(repr=False, metadata=OR_NULL)
    sent_at: Milliseconds


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
class Stage:
    """What became of an image after the ack, and when, on the client's clock.

    `sent_at` repeats the image's; `reason` says why it failed, and `detail` what else is known of
    that, for people, without an address or a secret. Of one that is shown, `timing` may say what
    `at` is (when the system has presented it, or the frame that put it up), and `within` how far
    from that it may have come on the screen.
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


TalkMessage = Image | Preload | Ready | Ack | Stage | Identity | Preloaded | Recording
"""What evaluator and client say to each other."""

ChannelMessage = TalkMessage | Ping | Pong
