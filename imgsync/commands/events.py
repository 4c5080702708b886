"""What the peers' commands print: one class for each event, and the three ways to show it.

    an event ─┬─▶ prose      a line for people; None where they need not know
              ├─▶ JSON       {"event": NAME, ...}, one line for programs, with --json
              └─▶ live line  on the evaluator's terminal: `commands.evaluator.progress`

A class stands for its JSON: its fields are the members, in their order, with names in camelCase.
Times are milliseconds since the epoch. `PeerEvent` is the vocabulary, by which `imgsync demo` reads
back the lines of both. Doctor and report have events of their own, in their rooms.
"""

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from imgsync.commands.output import FOR_PEOPLE, IF_KNOWN, ROUNDED, TO_A_TENTH, Output
from imgsync.core.network.reach import ADVICE, Obstacle, RelayPlace, find_obstacles
from imgsync.core.protocol.channel import (
    Coordinate,
    Count,
    Drawn,
    Duration,
    Length,
    OnsetTiming,
    PointerKind,
    Positive,
    ResponseKind,
    StageKind,
)
from imgsync.core.protocol.channel import Display as DisplayReport
from imgsync.core.protocol.numbers import (
    FEATURE_EXPOSURE,
    FEATURE_RESPONSE,
    FEATURE_SIZE,
    FEATURE_TEXT,
    NO_DISTANCE,
    NOT_CALIBRATED,
    SUPERSEDED,
)
from imgsync.core.protocol.signalling import EndReason, Milliseconds, Role
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.core.protocol.urls import public_url

if TYPE_CHECKING:
    from imgsync.images.folder import LeftOut as LeftOutFile
    from imgsync.images.ref import ImageRef

STAGE_WORDS = {
    StageKind.FETCHED: "fetched",
    StageKind.SHOWN: "on the screen",
    StageKind.HIDDEN: "hidden",
    StageKind.FAILED: "failed",
}
"""For people."""


MAX_NAMES = 8
"""Of files, in a line for people."""


# ── of both peers ────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Registered:
    """The relay knows us."""

    EVENT = "registered"
    user_id: str
    role: Role | None = attrs.field(default=None, metadata=FOR_PEOPLE)

    @property
    def prose(self) -> str | None:
        return f"waiting for an evaluator as {self.user_id}" if self.role is Role.CLIENT else None


@attrs.frozen
class State(StateChange):
    """A session was interrupted, or is on again."""

    EVENT = "state"

    @property
    def prose(self) -> str:
        return f"session {self.sentence}"


#: The other states have events of their own.
_WRITTEN_STATES = (SessionState.SUSPECT, SessionState.INTERRUPTED, SessionState.RESUMED)


async def write_states(changes: AsyncIterator[StateChange], output: Output) -> None:
    """Write interruptions and their ends, as they come."""
    last = SessionState.CONNECTING
    async for change in changes:
        recovered = change.state is SessionState.CONNECTED and last is SessionState.SUSPECT
        if recovered or change.state in _WRITTEN_STATES:
            output.write(
                State(state=change.state, at=change.at, reason=change.reason, detail=change.detail)
            )
        last = change.state


# ── of the evaluator ─────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class LeftOut:
    """Files that lie in the folder among the images, and are none to show.

    :param why: the same for all of them.
    """

    EVENT = "left_out"
    why: str
    names: tuple[str, ...]

    @property
    def prose(self) -> str:
        shown = ", ".join(
            ascii(name)[1:-1] if not name.isprintable() else name for name in self.names[:MAX_NAMES]
        )
        more = f" and {len(self.names) - MAX_NAMES} more" if self.names[MAX_NAMES:] else ""
        return f"left out ({self.why}): {shown}{more}"


def group_left_out(files: "Iterable[LeftOutFile]") -> list[LeftOut]:
    """One event for each reason."""
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(file.why, []).append(file.name)
    return [LeftOut(why, tuple(names)) for why, names in groups.items()]


@attrs.frozen
class OutOfReach:
    """A host of images that clients may not be able to fetch from.

    :param host: as the URLs have it.
    :param why: short words, of `core.network.reach`.
    :param detail: the same for people.
    """

    EVENT = "out_of_reach"
    host: str
    why: tuple[str, ...]
    detail: str

    @property
    def prose(self) -> str:
        return f"{self.detail}; {ADVICE}"


def find_out_of_reach(relay: RelayPlace, images: "Iterable[ImageRef]") -> list[OutOfReach]:
    """One event for each host with something in the way of the relay's clients."""
    hosts: dict[tuple[str, str], list[Obstacle]] = {}
    for image in images:
        if image.fetched_from is None:
            continue
        parts = urlsplit(image.fetched_from)
        where = (parts.scheme.lower(), parts.hostname or "")
        if where not in hosts:
            hosts[where] = find_obstacles(relay, *where)
    return [
        OutOfReach(
            host=host,
            why=tuple(obstacle.value for obstacle in obstacles),
            detail="; ".join(obstacle.in_words(host) for obstacle in obstacles),
        )
        for (_, host), obstacles in hosts.items()
        if obstacles
    ]


@attrs.frozen
class Waiting:
    """The client is not there, or not free."""

    EVENT = "waiting"
    client_id: str

    @property
    def prose(self) -> str:
        return f"waiting for {self.client_id}"


@attrs.frozen
class AtDoor:
    """The client's page is open, and nobody has touched it yet."""

    EVENT = "at_door"
    client_id: str

    @property
    def prose(self) -> str:
        return f'{self.client_id} has the page open, and has not touched "I am ready" yet'


@attrs.frozen
class Connected:
    """There is a session with the client."""

    EVENT = "connected"
    session_id: str
    client_id: str
    image_count: int = attrs.field(default=0, metadata=FOR_PEOPLE)

    @property
    def prose(self) -> str:
        return f"connected to {self.client_id}; {self.image_count} images"


@attrs.frozen
class CommandRefused:
    """What was typed can't be done."""

    EVENT = "refused"
    reason: str

    @property
    def prose(self) -> str:
        return self.reason


@attrs.frozen
class Acked:
    """The client has an image.

    :param latency_ms: one way; true to `bound_ms`.
    :param copies: how often it was sent.
    """

    EVENT = "acked"
    image_index: int
    name: str
    image_url: str = attrs.field(converter=public_url)
    sent_at: Milliseconds
    received_at: Milliseconds
    round_trip_ms: Milliseconds = attrs.field(metadata=ROUNDED)
    latency_ms: Milliseconds = attrs.field(metadata=ROUNDED)
    bound_ms: Milliseconds = attrs.field(metadata=ROUNDED)
    copies: int

    @property
    def prose(self) -> str:
        return (
            f"image {self.image_index}  {self.name}  acked  {self.round_trip_ms:.1f} ms"
            f"  one way {self.latency_ms:.1f} ± {self.bound_ms:.1f} ms"
        )


@attrs.frozen
class NotAcked:
    """The client has not acked an image, and will not any more.

    :param reason: a short word.
    :param detail: the same for people.
    """

    EVENT = "not_acked"
    image_index: int
    name: str
    reason: str
    detail: str = attrs.field(default="", metadata=FOR_PEOPLE)

    @property
    def prose(self) -> str:
        if self.reason == SUPERSEDED:
            return f"image {self.image_index}  {self.name}  {SUPERSEDED}"
        return f"image {self.image_index}  {self.name}  not acked: {self.detail}"


@attrs.frozen
class Stage:
    """What has become of an image at the client.

    :param at: client's clock.
    :param latency_ms: from the showing to that; true to `bound_ms`. None where nothing is known.
    :param reason: why it failed.
    :param detail: what else is known of that.
    :param timing: what `at` is of an image that is shown.
    :param frames: for how many refreshes of the screen one that is hidden was up.
    :param dropped: how many of these the client missed.
    :param drawn: how large one that is shown is there.
    """

    EVENT = "stage"
    image_index: int
    name: str
    sent_at: Milliseconds
    stage: StageKind
    at: Milliseconds
    latency_ms: Milliseconds | None = attrs.field(metadata=ROUNDED)
    bound_ms: Milliseconds | None = attrs.field(metadata=ROUNDED)
    reason: str | None
    timing: OnsetTiming | None = attrs.field(default=None, metadata=IF_KNOWN)
    detail: str | None = attrs.field(default=None, metadata=IF_KNOWN)
    frames: int | None = attrs.field(default=None, metadata=IF_KNOWN)
    dropped: int | None = attrs.field(default=None, metadata=IF_KNOWN)
    drawn: Drawn | None = attrs.field(default=None, metadata=IF_KNOWN)

    @property
    def prose(self) -> str | None:
        if self.stage is not StageKind.FAILED:
            return None
        if self.reason == SUPERSEDED:
            return f"image {self.image_index}  {self.name}  {SUPERSEDED}"
        more = f" ({self.detail})" if self.detail else ""
        return f"image {self.image_index}  {self.name}  failed: {self.reason}{more}"


@attrs.frozen
class Picture:
    """Which picture an image is, byte by byte.

    :param content_type: its media type.
    :param bytes: how many.
    :param width: pixels, as is `height`; None where the picture does not say.
    """

    EVENT = "picture"
    image_index: int
    name: str
    sent_at: Milliseconds
    sha256: str
    content_type: str
    bytes: int
    width: int | None
    height: int | None

    @property
    def prose(self) -> None:
        return None


@attrs.frozen
class NotSent:
    """A picture of our own that could not be sent over the connection, or not to the end.

    :param reason: a short word.
    :param detail: the same for people.
    """

    EVENT = "not_sent"
    image_index: int
    name: str
    reason: str
    detail: str = attrs.field(default="", metadata=FOR_PEOPLE)

    @property
    def prose(self) -> str:
        return f"image {self.image_index}  {self.name}  not sent: {self.detail}"


@attrs.frozen
class Preloaded:
    """How many of the images that were announced, and not shown yet, are at the client.

    :param full: the client has no room for more of them until some were shown.
    :param is_before_start: none was shown yet.
    """

    EVENT = "preloaded"
    announced: int
    there: int
    failed: int
    full: bool | None = attrs.field(default=None, metadata=IF_KNOWN)
    is_before_start: bool = attrs.field(default=True, metadata=FOR_PEOPLE)

    @property
    def words(self) -> str:
        """For people, who may wait for it."""
        failed = f", {self.failed} failed" if self.failed else ""
        full = "; the client has no room for more until some were shown" if self.full else ""
        return f"{self.there} of {self.announced} are there{failed}{full}"

    @property
    def prose(self) -> str | None:
        return self.words if self.is_before_start else None


@attrs.frozen
class Recording:
    """How the client's page records its participant.

    :param devices: those that are recorded while an image is shown.
    :param troubles: what is the matter, in short words.
    :param at: client's clock.
    """

    EVENT = "recording"
    devices: tuple[str, ...]
    troubles: tuple[str, ...]
    at: Milliseconds

    @property
    def prose(self) -> str:
        how = f"recorded by {' and '.join(self.devices)}" if self.devices else "not recorded"
        what = ", ".join(trouble.replace("_", " ") for trouble in self.troubles)
        return f"participant {how}: {what}" if what else f"participant {how}"


@attrs.frozen
class Response:
    """An answer of the participant's.

    :param at: client's clock.
    :param reaction_time_ms: from the onset; true to `bound_ms`. None where it is not known.
    :param x: of a tap on the picture, in its own pixels, as is `y`.
    """

    EVENT = "response"
    image_index: int
    name: str
    sent_at: Milliseconds
    number: int
    at: Milliseconds
    kind: ResponseKind
    value: str
    reaction_time_ms: Milliseconds | None = attrs.field(metadata=ROUNDED)
    bound_ms: Milliseconds | None = attrs.field(metadata=ROUNDED)
    x: Coordinate | None = attrs.field(default=None, metadata=IF_KNOWN)
    y: Coordinate | None = attrs.field(default=None, metadata=IF_KNOWN)

    @property
    def prose(self) -> str:
        image = f"image {self.image_index}  {self.name}"
        if self.kind is ResponseKind.TOO_MANY:
            return f"{image}  more answers than are told"
        value = self.value if self.value.isprintable() else ascii(self.value)[1:-1]
        where = "" if self.x is None or self.y is None else f" at {self.x:.0f}, {self.y:.0f}"
        after = "" if self.reaction_time_ms is None else f" after {self.reaction_time_ms:.1f}"
        bound = "" if self.bound_ms is None else f" ± {self.bound_ms:.1f}"
        return f"{image}  {self.kind.value} {value}{where}{after}{after and bound}{after and ' ms'}"


@attrs.frozen
class Mark:
    """What the evaluator has noted.

    :param image_index: of what was shown then; None before the first, as are the next two.
    """

    EVENT = "mark"
    image_index: int | None
    name: str | None
    sent_at: Milliseconds | None
    at: Milliseconds
    score: float | None
    text: str | None

    @property
    def prose(self) -> str:
        image = "" if self.image_index is None else f"image {self.image_index}  {self.name}  "
        score = "" if self.score is None else f" {self.score:g}"
        return f"{image}noted{score}" + (f": {self.text}" if self.text else "")


_DISPLAY_WARNINGS = {
    NOT_CALIBRATED: "sizes are asked for, and its screen is not calibrated, so that images are as"
    " large as its window: have the participant measure the screen on the page",
    NO_DISTANCE: "sizes are asked for in degrees, and nobody knows how far away the participant"
    " sits: have it measured on the page",
    "refresh_unknown": "its refresh rate is not known, so nor are exposures in frames",
    "refresh_low": "its refresh rate is low: look for a battery saver or a remote desktop",
    "refresh_not_60": "frames do not last 16.7 ms there",
    "zoomed": "the page is zoomed",
    "not_isolated": "the page's clock is coarse, as it is not isolated from other pages",
    "no_keyboard": "keys are asked for, and there may be no keyboard",
}


@attrs.frozen
class Display:
    """What the client shows images on.

    :param at: since when, client's clock.
    :param warnings: what of it may be in the way of what is asked, in short words.
    """

    EVENT = "display"
    at: Milliseconds
    warnings: tuple[str, ...]
    screen_width: Count | None = attrs.field(default=None, metadata=IF_KNOWN)
    screen_height: Count | None = attrs.field(default=None, metadata=IF_KNOWN)
    window_width: Count | None = attrs.field(default=None, metadata=IF_KNOWN)
    window_height: Count | None = attrs.field(default=None, metadata=IF_KNOWN)
    pixel_ratio: Positive | None = attrs.field(default=None, metadata=IF_KNOWN)
    zoom: Positive | None = attrs.field(default=None, metadata=IF_KNOWN)
    refresh_rate: Positive | None = attrs.field(default=None, metadata=IF_KNOWN)
    isolated: bool | None = attrs.field(default=None, metadata=IF_KNOWN)
    resolution: Duration | None = attrs.field(default=None, metadata=IF_KNOWN)
    browser: str | None = attrs.field(default=None, metadata=IF_KNOWN)
    system: str | None = attrs.field(default=None, metadata=IF_KNOWN)
    languages: tuple[str, ...] = ()
    pointer: PointerKind | None = attrs.field(default=None, metadata=IF_KNOWN)
    checked_at: Milliseconds | None = attrs.field(default=None, metadata=IF_KNOWN)
    check_found: tuple[str, ...] | None = attrs.field(default=None, metadata=IF_KNOWN)
    keyboard: bool | None = attrs.field(default=None, metadata=IF_KNOWN)
    px_per_mm: Positive | None = attrs.field(default=None, metadata=IF_KNOWN)
    calibrated_by: str | None = attrs.field(default=None, metadata=IF_KNOWN)
    distance_mm: Positive | None = attrs.field(default=None, metadata=IF_KNOWN)
    distance_by: str | None = attrs.field(default=None, metadata=IF_KNOWN)
    distance_within_mm: Length | None = attrs.field(default=None, metadata=IF_KNOWN)

    @classmethod
    def of(cls, said: DisplayReport, warnings: Iterable[str]) -> "Display":
        """What the client has said, with what is to be said to it."""
        facts = attrs.asdict(said, recurse=False)
        if said.checked_at is None:
            del facts["check_found"]
        return cls(warnings=tuple(warnings), **facts)

    @property
    def prose(self) -> str:
        parts = [
            self._size("screen", self.screen_width, self.screen_height),
            self._size("window", self.window_width, self.window_height),
            "" if self.refresh_rate is None else f"{self.refresh_rate:.1f} Hz",
            "" if self.distance_mm is None else f"seen from {self.distance_mm / 10:.0f} cm",
            " on ".join(name for name in (self.browser, self.system) if name),
            self._check,
        ]
        told = ", ".join(part for part in parts if part) or "nothing is known"
        warned = [_DISPLAY_WARNINGS.get(word, word) for word in self.warnings]
        return "; ".join([f"client's display: {told}", *(f"careful: {one}" for one in warned)])

    @property
    def _check(self) -> str:
        """What the participant has found by the page that checks devices."""
        if self.check_found is None:
            return ""
        found = ", ".join(word.replace("_", " ") for word in self.check_found)
        return f"checked before: {found or 'all well'}"

    @staticmethod
    def _size(what: str, width: int | None, height: int | None) -> str:
        return "" if width is None or height is None else f"{what} {width} x {height}"


_UNSPOKEN = {
    FEATURE_EXPOSURE: "show images for a time by itself; they stay until the next one comes",
    FEATURE_RESPONSE: "tell of answers",
    FEATURE_TEXT: "show texts; they are passed over",
    FEATURE_SIZE: "show images in a size that is asked; they are as large as its window",
}


@attrs.frozen
class NotSpoken:
    """The client does not speak an extension that the images need.

    :param feature: its name.
    """

    EVENT = "not_spoken"
    feature: str

    @property
    def prose(self) -> str:
        what = _UNSPOKEN.get(self.feature, "do so")
        return f"the client does not speak {self.feature!r}: it can't {what}"


@attrs.frozen
class Spread:
    """Of a series of durations, ms."""

    median: Milliseconds = attrs.field(metadata=ROUNDED)
    max: Milliseconds = attrs.field(metadata=ROUNDED)


@attrs.frozen
class SeriesSummary:
    """How a series went.

    :param shown: how many were on a screen, as the client says.
    :param failed: how many were not, for another reason than an image that took their place.
    :param superseded: the indices of those whose place another image took, in their order.
    :param stages: how often each was reported; None from a client that does not speak `stage`.
    """

    EVENT = "summary"
    sent: int
    shown: int
    acked: int
    failed: int = 0
    superseded: tuple[int, ...] = ()
    round_trip_ms: Spread | None = attrs.field(default=None, metadata=IF_KNOWN)
    one_way_ms: Spread | None = attrs.field(default=None, metadata=IF_KNOWN)
    bound_ms: Spread | None = attrs.field(default=None, metadata=IF_KNOWN)
    stages: dict[str, int] | None = attrs.field(default=None, metadata=IF_KNOWN)

    @property
    def prose(self) -> str:
        trip, way, bound = self.round_trip_ms, self.one_way_ms, self.bound_ms
        shown = "" if self.stages is None else f"{self.shown} shown, "
        prose = f"{self.sent} images sent, {shown}{self.acked} acked"
        if self.failed:
            prose += f", {self.failed} failed"
        if trip is not None and way is not None and bound is not None:
            prose += (
                f"; round trip {trip.median:.1f} ms (longest {trip.max:.1f})"
                f"; one way {way.median:.1f} ms,"
                f" to {bound.median:.1f} (at worst {bound.max:.1f})"
            )
        if self.superseded:
            prose += f"; {SUPERSEDED}: {', '.join(map(str, self.superseded))}"
        return prose


# ── of the client ────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class SessionBegun:
    """An evaluator has begun a session with us."""

    EVENT = "session"
    session_id: str
    evaluator_id: str
    evaluator_name: str | None

    @property
    def prose(self) -> str:
        return f"session with {self.evaluator_name or self.evaluator_id}"


@attrs.frozen
class SessionOver:
    """It has ended."""

    EVENT = "ended"
    session_id: str | None = attrs.field(metadata=IF_KNOWN)
    reason: EndReason
    detail: str

    @property
    def prose(self) -> str:
        return f"session ended: {self.detail}"


@attrs.frozen
class Received:
    """An image is to be shown.

    :param sent_at: evaluator's clock.
    """

    EVENT = "image"
    image_index: int
    image_url: str = attrs.field(converter=public_url)
    sent_at: Milliseconds
    received_at: Milliseconds

    @property
    def prose(self) -> None:
        return None


@attrs.frozen
class Fetched:
    """An image is here.

    :param sha256: of its bytes, as they came.
    :param width: pixels, as is `height`; None where the picture does not say.
    :param ahead: it was, before it was to be shown.
    :param path: where it was saved.
    """

    EVENT = "fetched"
    bytes: int
    kind: str
    sha256: str
    content_type: str
    width: int | None
    height: int | None
    took_ms: Milliseconds = attrs.field(metadata=TO_A_TENTH)
    ahead: bool
    path: str | None
    image_index: int
    image_url: str = attrs.field(converter=public_url)

    @property
    def prose(self) -> str:
        return (
            f"image {self.image_index}  {self.image_url}  {self.bytes} bytes  {self.kind}"
            f"  {self.took_ms:.0f} ms"
        )


@attrs.frozen
class FetchFailed:
    """An image could not be fetched, or not be saved."""

    EVENT = "fetch_failed"
    reason: str
    image_index: int
    image_url: str = attrs.field(converter=public_url)
    detail: str | None = attrs.field(default=None, metadata=IF_KNOWN)

    @property
    def prose(self) -> str:
        more = f" ({self.detail})" if self.detail else ""
        return f"image {self.image_index}  {self.image_url}  {self.reason}{more}"


@attrs.frozen
class ExecFailed:
    """The program that is to run for each image did not do so.

    :param reason: a short word.
    :param detail: the same for people.
    """

    EVENT = "exec_failed"
    reason: str
    detail: str
    image_index: int
    image_url: str = attrs.field(converter=public_url)

    @property
    def prose(self) -> str:
        return f"image {self.image_index}  {self.image_url}  the command {self.detail}"


PeerEvent = (
    Registered
    | State
    | LeftOut
    | OutOfReach
    | Waiting
    | AtDoor
    | Connected
    | CommandRefused
    | Acked
    | NotAcked
    | NotSent
    | Stage
    | Picture
    | Preloaded
    | Recording
    | Response
    | Mark
    | Display
    | NotSpoken
    | SeriesSummary
    | SessionBegun
    | SessionOver
    | Received
    | Fetched
    | FetchFailed
    | ExecFailed
)
