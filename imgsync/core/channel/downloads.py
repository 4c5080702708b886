"""Which image is fetched next and from where on, and when one is given up.

    announce ──▶ waiting ── MAX_FETCHES at a time ──▶ running ──▶ there
    show ──────▶ waiting ── first, and alone ───────▶ running ──▶ there
    running ── another one is to be shown ──▶ waiting, with the bytes that are here
    running ── broken off, or no byte for FETCH_STALL ──▶ waiting for a pause, or failed
    waiting, running ── not to be shown any more, and not announced ──▶ given up
    failed ── shown or announced once more ──▶ waiting
    there ── no room for it ──▶ forgotten where it was shown, or else waiting

A line that is slow carries one image in the time of four that share it, so nothing else is fetched
while an image is due. How long an image takes in all is nobody's concern as long as bytes come.
What was fetched goes on from its last byte where the host has ranges of it, and is begun anew where
not.

What is there is kept, up to MAX_KEPT bytes. What was shown goes first, the longest ago before the
others; then what was announced before what has come in. One that would not fit behind those before
it is not fetched ahead. What is to be shown now needs no room.

Whoever drives this has a way to fetch, by HTTP or any other: a name and an offset go in, bytes come
out. It numbers each try, so that what one says that was stopped is passed over. Images are known by
`image_key`, as the signature of a URL may be another each time. `now` is on a clock that only goes
forward, s.
"""

import enum
import math
from collections.abc import Callable, Collection, Sequence

import attrs

from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.naming import image_key
from imgsync.core.protocol.numbers import (
    FETCH_PROGRESS,
    FETCH_STALL,
    FETCH_TRIES,
    FETCH_UNSEEN,
    MAX_ANNOUNCED,
    MAX_FETCHES,
    MAX_KEPT,
    PRELOAD_PAUSE,
    PRELOADED_INTERVAL,
    SLEPT,
    SUPERSEDED,
)

CROWDED_OUT = "crowded_out"
"""That of what was announced before so many others that it is fetched when it is shown."""


@attrs.frozen
class Failure:
    """Why a try has come to nothing.

    :param reason: a short word.
    :param may_pass: whether another try may help.
    :param keeps: whether what it has brought is of use.
    :param detail: what else is known, for people.
    """

    reason: str
    may_pass: bool
    keeps: bool = False
    detail: str = ""


STALLED = Failure(
    "timeout", may_pass=True, keeps=True, detail=f"no byte came for {FETCH_STALL:g} s"
)
"""Of what came in part: its line was lost, perhaps."""

SILENT = attrs.evolve(STALLED, may_pass=False)
"""Of what never came: its host is there and says nothing, and the image's time is over by then."""


@attrs.frozen
class Start:
    """Fetch this from here on.

    :param number: of this try.
    :param url: None for what comes over the connection.
    :param offset: bytes of it that are here already; 0: what is here is of no use any more.
    :param is_urgent: it is to be shown now.
    """

    number: int
    name: str
    url: str | None = attrs.field(repr=False)
    offset: int
    is_urgent: bool


@attrs.frozen
class Stop:
    """Fetch no more in this try. What is here of it is kept."""

    number: int


@attrs.frozen
class GivenUp:
    """Nothing more is done for it, and what is here of it is of no use.

    :param reason: why: a short word.
    :param detail: what else is known, for people.
    """

    name: str
    reason: str
    detail: str = ""


@attrs.frozen
class Evict:
    """It was there, and has to make room."""

    name: str


@attrs.frozen
class Progress:
    """Of the images that were announced and are still to be shown.

    :param is_full: there is no room for more of them until some were shown.
    """

    announced: int = 0
    there: int = 0
    failed: int = 0
    is_full: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing more of it will come."""
        return self.there + self.failed == self.announced


DownloadOutput = Start | Stop | GivenUp | Evict | Progress


class _State(enum.Enum):
    WAITING = enum.auto()
    RUNNING = enum.auto()
    THERE = enum.auto()
    FAILED = enum.auto()


_FIRST = (-math.inf, 0)
"""The rank before all others."""


@attrs.define(eq=False)
class _Download:
    image: UpcomingImage
    state: _State = _State.WAITING
    is_announced: bool = False
    #: The smallest goes first: by announcement, the newest before others, then by place in it. Of
    #: what was shown it is how long ago.
    rank: tuple[int, int] = (0, 0)
    number: int = 0
    #: What the running try fetches from.
    url: str | None = attrs.field(default=None, repr=False)
    #: Bytes that are here, and whether the host can go on from there.
    have: int = 0
    is_resumable: bool = False
    #: Most that a try before the last one had come to.
    best: int = 0
    #: In a row, without FETCH_PROGRESS in between.
    failures: int = 0
    #: When it may be tried again.
    again: float = -math.inf
    #: When the running try counts as standing still.
    stalls: float = math.inf

    @property
    def name(self) -> str:
        return image_key(self.image.image_url, self.image.signed_url)

    @property
    def is_pending(self) -> bool:
        return self.state in (_State.WAITING, _State.RUNNING)

    def begin_anew(self) -> None:
        """As one that was never tried."""
        self.state, self.again = _State.WAITING, -math.inf
        self.have = self.best = self.failures = 0

    def stop(self, *, keeps: bool) -> None:
        """Its try is over; what it has brought is of use, or not."""
        self.state, self.stalls = _State.WAITING, math.inf
        if not (keeps and self.is_resumable):
            self.have = 0

    def count_failure(self) -> None:
        """A try has failed; one that has got further than any before it was not in vain."""
        has_progressed = self.have >= self.best + FETCH_PROGRESS
        self.failures = 0 if has_progressed else self.failures + 1
        self.best = max(self.best, self.have)


class _Telling:
    """How often it is told how many images are there: when all are, and else now and then."""

    def __init__(self) -> None:
        self._told = Progress()
        self._counted = Progress()
        self._next = -math.inf

    @property
    def due(self) -> float:
        return math.inf if self._counted == self._told else self._next

    def count(self, coming: Sequence[_Download], is_full: bool, now: float) -> list[Progress]:
        """These were announced and are not shown yet; whether there is no room for more of them."""
        states = [one.state for one in coming]
        there, failed = states.count(_State.THERE), states.count(_State.FAILED)
        counted = self._counted = Progress(len(states), there, failed, is_full)
        completes = counted.is_settled and not self._told.is_settled
        if counted == self._told or not (completes or now >= self._next):
            return []
        self._told, self._next = counted, now + PRELOADED_INTERVAL
        return [counted]


class _Tries:
    """Those that are under way, by number.

    :param pause: seconds to wait after so many failures in a row.
    """

    def __init__(self, pause: Callable[[int], float]) -> None:
        self._pause = pause
        self._running: dict[int, _Download] = {}
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._running)

    @property
    def stalls(self) -> float:
        """When the first of them counts as standing still."""
        return min((one.stalls for one in self._running.values()), default=math.inf)

    def find(self, number: int) -> _Download | None:
        """None for one that was stopped."""
        return self._running.get(number)

    def start(self, download: _Download, now: float, *, is_urgent: bool) -> Start:
        self._last_number += 1
        download.number, download.url = self._last_number, download.image.signed_url
        download.state, download.stalls = _State.RUNNING, now + FETCH_STALL
        self._running[download.number] = download
        return Start(download.number, download.name, download.url, download.have, is_urgent)

    def stop(self, download: _Download) -> list[Stop]:
        if download.state is not _State.RUNNING:
            return []
        del self._running[download.number]
        download.stop(keeps=True)
        return [Stop(download.number)]

    def stop_all(self, but: _Download) -> list[Stop]:
        others = [one for one in self._running.values() if one is not but]
        return [stop for one in others for stop in self.stop(one)]

    def finish(self, download: _Download) -> None:
        del self._running[download.number]
        have = download.have
        download.begin_anew()
        download.state, download.stalls, download.have = _State.THERE, math.inf, have

    def fail(self, download: _Download, failure: Failure, now: float) -> list[GivenUp]:
        """It has failed, and waits for the next try, if there is one."""
        del self._running[download.number]
        download.count_failure()
        download.stop(keeps=failure.keeps)
        if download.url != download.image.signed_url:
            # That one may have been too old; the one that we have now is not.
            download.failures = 0
        elif failure.may_pass and download.failures < FETCH_TRIES:
            download.again = now + self._pause(max(0, download.failures - 1))
        else:
            download.begin_anew()
            download.state = _State.FAILED
            return [GivenUp(download.name, failure.reason, failure.detail)]
        return []

    def renew(self, download: _Download, image: UpcomingImage) -> None:
        """Its URL may be signed anew by now."""
        before, download.image = download.image.signed_url, image
        if download.state is _State.FAILED:
            download.begin_anew()
        elif download.state is _State.WAITING and before != image.signed_url:
            download.failures, download.again = 0, -math.inf

    def overdue(self, now: float) -> list[_Download]:
        """Those that stand still. Who looks late was asleep, and may not have heard them."""
        for download in self._running.values():
            if now > download.stalls + SLEPT:
                download.stalls = now + FETCH_STALL
        return [one for one in self._running.values() if now >= one.stalls]


class _Room:
    """What of the images of a session is kept, and what there is room for.

    :param downloads: all of them, by name.
    """

    def __init__(self, downloads: dict[str | None, _Download]) -> None:
        self._downloads = downloads
        self._uses = 0

    def use(self, download: _Download) -> None:
        """It is there, and shown."""
        self._uses += 1
        download.rank, download.is_announced = (0, self._uses), False

    def has_room(self, download: _Download) -> bool:
        """Whether what comes before it, and what is fetched in part, leave some for it."""
        size = 0
        for one in self._downloads.values():
            is_before = one.is_announced and one.rank < download.rank
            if one.is_pending or is_before:
                size += one.have
        return size < MAX_KEPT

    def evict(self, arrived: _Download, shown: str | None) -> list[Evict]:
        """What has to go, now that this one is there, or shown."""
        there = [one for one in self._downloads.values() if one.state is _State.THERE]
        others = [one for one in there if one.name != shown]
        spent = sorted((one for one in others if not one.is_announced), key=lambda one: one.rank)
        behind = [one for one in others if one.is_announced and one.rank[0] > arrived.rank[0]]
        if not arrived.is_announced:
            behind = []  # what is to be shown now is the first to go when another is
        behind.sort(key=lambda one: one.rank, reverse=True)
        size = sum(one.have for one in there)
        gone: list[Evict] = []
        for one in (*spent, *behind):
            if size <= MAX_KEPT:
                break
            size -= one.have
            gone.append(Evict(one.name))
            if one.is_announced:
                one.begin_anew()
            else:
                del self._downloads[one.name]
        return gone


class Downloads:
    """The images of one session.

    :param pause: seconds to wait after so many failures in a row; it throws the dice.
    """

    def __init__(self, pause: Callable[[int], float]) -> None:
        self._downloads: dict[str | None, _Download] = {}
        self._room = _Room(self._downloads)
        self._tries = _Tries(pause)
        #: The name of what is to be shown.
        self._shown: str | None = None
        self._announcement = 0
        self._place = 0
        self._is_announcing = False
        #: The rank that what was shown last had in the announcement of now.
        self._passed = _FIRST
        self._telling = _Telling()

    @property
    def due(self) -> float:
        """When to call `tick`."""
        again = [one.again for one in self._next()]
        return min([*again, self._tries.stalls, self._telling.due])

    @property
    def coming(self) -> list[str]:
        """Names of what was announced and is not shown yet, the likeliest first.

        That is what comes behind the one that was shown last, as a person may pass over some.
        """
        coming, passed = self._coming(), self._passed
        return [one.name for one in sorted(coming, key=lambda one: one.rank < passed)]

    def announce(self, images: Sequence[UpcomingImage], now: float) -> list[DownloadOutput]:
        """What will be shown soon, the next one first.

        An announcement goes before those before it. It may come in parts: what follows without an
        image that is shown in between is a part of the same.
        """
        if not self._is_announcing:
            self._announcement += 1
            self._is_announcing = True
            self._passed = _FIRST
        outputs: list[DownloadOutput] = []
        for image in images:
            download = self._take(image, now + PRELOAD_PAUSE)
            download.is_announced = True
            self._place += 1
            download.rank = (-self._announcement, self._place)
        queue = [one for one in self._coming() if one.state is not _State.THERE]
        for download in queue[MAX_ANNOUNCED:]:
            outputs += self._drop(download, CROWDED_OUT)
        return [*outputs, *self._advance(now)]

    def show(self, image: UpcomingImage, now: float) -> list[DownloadOutput]:
        """This one is to be shown now, and no other any more."""
        outputs: list[DownloadOutput] = []
        before = self._downloads.get(self._shown)
        self._shown = image_key(image.image_url, image.signed_url)
        self._is_announcing = False
        if before is not None and before.name != self._shown and not before.is_announced:
            if before.is_pending:
                outputs += self._drop(before, SUPERSEDED)
            elif before.state is _State.FAILED:
                del self._downloads[before.name]
        download = self._take(image, now)
        if download.is_announced:
            self._passed = download.rank
        if download.state is _State.THERE:
            self._room.use(download)
            outputs += self._room.evict(download, self._shown)
        if download.failures == 0:
            download.again = -math.inf
        return [*outputs, *self._advance(now)]

    def withdraw(self, keep: Collection[str], now: float) -> list[DownloadOutput]:
        """Of what is announced, only these are still of use, beside what is to be shown."""
        kept = {*keep, self._shown}
        gone = [one for one in self._downloads.values() if one.is_pending and one.name not in kept]
        dropped = [output for one in gone for output in self._drop(one, SUPERSEDED)]
        return [*dropped, *self._advance(now)]

    # ── of one try ───────────────────────────────────────────────────────────────────────────────

    def answered(self, number: int, offset: int, now: float, *, is_resumable: bool) -> None:
        """The host answers.

        :param offset: from which on it sends; where that is 0, what was here is of no use.
        :param is_resumable: whether a later try can go on from where this one stops.
        """
        download = self._tries.find(number)
        if download is not None:
            download.have, download.is_resumable = offset, is_resumable
            download.stalls = now + FETCH_STALL

    def parked(self, number: int) -> None:
        """It is not its turn yet: until bytes come, or an answer, it does not stand still."""
        download = self._tries.find(number)
        if download is not None:
            download.stalls = math.inf

    def came(self, number: int, count: int, now: float) -> None:
        """So many bytes came in."""
        download = self._tries.find(number)
        if download is not None:
            download.have += count
            download.stalls = now + FETCH_STALL

    def unseen(self, number: int, now: float) -> None:
        """From here on, nobody can see whether bytes come."""
        download = self._tries.find(number)
        if download is not None:
            download.have, download.is_resumable = 0, False
            download.stalls = now + FETCH_UNSEEN

    def done(self, number: int, now: float) -> list[DownloadOutput]:
        """It is there, whole."""
        download = self._tries.find(number)
        if download is None:
            return []
        self._tries.finish(download)
        if download.name == self._shown:
            self._room.use(download)
        return [*self._room.evict(download, self._shown), *self._advance(now)]

    def failed(self, number: int, failure: Failure, now: float) -> list[DownloadOutput]:
        """The try has come to nothing."""
        download = self._tries.find(number)
        if download is None:
            return []
        return [*self._tries.fail(download, failure, now), *self._advance(now)]

    def tick(self, now: float) -> list[DownloadOutput]:
        """`due` has come."""
        outputs: list[DownloadOutput] = []
        for download in self._tries.overdue(now):
            outputs.append(Stop(download.number))
            failure = STALLED if download.have > 0 else SILENT
            outputs += self._tries.fail(download, failure, now)
        return [*outputs, *self._advance(now)]

    # ── what follows from it ─────────────────────────────────────────────────────────────────────

    def _take(self, image: UpcomingImage, first: float) -> _Download:
        """The one of this name, with the URL that is newest; one that is new may begin then."""
        download = _Download(image, again=first)
        download = self._downloads.setdefault(download.name, download)
        self._tries.renew(download, image)
        return download

    def _drop(self, download: _Download, reason: str) -> list[DownloadOutput]:
        del self._downloads[download.name]
        return [*self._tries.stop(download), GivenUp(download.name, reason)]

    def _coming(self) -> list[_Download]:
        """What is to be shown some time later, the first one first."""
        every = self._downloads.values()
        coming = [one for one in every if one.is_announced and one.name != self._shown]
        return sorted(coming, key=lambda one: one.rank)

    def _urgent(self) -> _Download | None:
        """What is to be shown, as long as it is not there."""
        download = self._downloads.get(self._shown)
        return download if download is not None and download.is_pending else None

    def _next(self) -> list[_Download]:
        """What waits and may be fetched, once its pause is over; the first one first."""
        urgent = self._urgent()
        if urgent is not None:
            return [urgent] if urgent.state is _State.WAITING else []
        if len(self._tries) >= MAX_FETCHES:
            return []
        waiting = self._waiting()
        return waiting if waiting and self._room.has_room(waiting[0]) else []

    def _waiting(self) -> list[_Download]:
        """What waits to be fetched ahead, the first one first."""
        return [one for one in self._coming() if one.state is _State.WAITING]

    def _advance(self, now: float) -> list[DownloadOutput]:
        """Start and stop what is to be started and stopped now."""
        outputs: list[DownloadOutput] = []
        urgent = self._urgent()
        if urgent is not None:
            outputs += self._tries.stop_all(but=urgent)
        for download in self._next():
            if download.again <= now and len(self._tries) < MAX_FETCHES:
                outputs.append(self._tries.start(download, now, is_urgent=download is urgent))
        waiting = self._waiting()
        is_full = bool(waiting) and not self._room.has_room(waiting[0])
        return [*outputs, *self._telling.count(self._coming(), is_full, now)]
