"""Which image is fetched next and from where on, and when one is given up.

    announce ──▶ waiting ── MAX_FETCHES at a time ──▶ running ──▶ there
    show ──────▶ waiting ── first, and alone ───────▶ running ──▶ there
    running ── another one is to be shown ──▶ waiting, with the bytes that are here
    running ── broken off, or no byte for FETCH_STALL ──▶ waiting for a pause, or failed
    waiting, running ── not to be shown any more, not announced, not needed ──▶ given up
    failed ── shown or announced once more ──▶ waiting
    there ── no room for it ──▶ forgotten where it was shown, or else waiting

A line that is slow carries one image in the time of four that share it, so nothing else is fetched
while an image is due. How long an image takes in all is nobody's concern as long as bytes come.
What was fetched goes on from its last byte where the host has ranges of it, and is begun anew where
not.

What is needed whatever is shown next (a folder is to have all that was shown) is fetched in the
order in which it was shown, before what is announced. Nobody knows how long it takes to make use of
it, so that nothing more of the kind is begun while MAX_KEPT bytes of it are here.

What is there is kept, up to MAX_KEPT bytes. What was shown goes first, the longest ago before the
others; then what was announced before what has come in. One that would not fit behind those before
it is not fetched ahead. What is to be shown now needs no room.

What is here in part, and waits, is kept within the same MAX_KEPT; the last that would be fetched
goes first. So there are never more bytes here than MAX_KEPT, MAX_FETCHES images that are under way
or have just come, and the one that is to be shown: 448 MiB.

Whoever drives this has a way to fetch, by HTTP or any other: a name and an offset go in, bytes come
out. It numbers each try, so that what one says that was stopped is passed over. Images are known by
`image_key`, as the signature of a URL may be another each time. `now` is on a clock that only goes
forward, s.
"""

import enum
import math
from collections.abc import Callable, Collection, Iterator, Sequence

import attrs

from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.naming import image_key
from imgsync.core.protocol.numbers import (
    CROWDED_OUT,
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
    """It was there, or a part of it, and has to make room."""

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


class _Images:
    """The images by name, and which of them is to be shown."""

    def __init__(self) -> None:
        self._downloads: dict[str, _Download] = {}
        #: The name of what is to be shown.
        self.shown: str | None = None
        #: The rank that what was shown last had in the announcement of now.
        self.passed = _FIRST
        self._announcement = 0
        self._place = 0
        self._is_announcing = False
        #: How many showings need its bytes, whatever is to be shown by now; the oldest first.
        self.needed: dict[_Download, int] = {}

    def __iter__(self) -> Iterator[_Download]:
        return iter([*self._downloads.values()])

    @property
    def coming(self) -> list[_Download]:
        """What is to be shown some time later, the first one first."""
        coming = [one for one in self if one.is_announced and one.name != self.shown]
        return sorted(coming, key=lambda one: one.rank)

    @property
    def ahead(self) -> list[_Download]:
        """What waits to be fetched ahead, the first one first."""
        waiting = [one for one in self.coming if one.state is _State.WAITING]
        return [one for one in waiting if one not in self.needed]

    @property
    def owed(self) -> list[_Download]:
        """What was shown and is still to be fetched although another is shown, oldest first."""
        return [one for one in self.needed if one.is_pending and one.name != self.shown]

    @property
    def urgent(self) -> _Download | None:
        """What is to be shown, as long as it is not there."""
        download = None if self.shown is None else self.find(self.shown)
        return download if download is not None and download.is_pending else None

    def find(self, name: str) -> _Download | None:
        return self._downloads.get(name)

    def take(self, image: UpcomingImage, first: float) -> _Download:
        """The one of this name; one that is new may begin then."""
        download = _Download(image, again=first)
        return self._downloads.setdefault(download.name, download)

    def remove(self, download: _Download) -> None:
        del self._downloads[download.name]
        self.needed.pop(download, None)

    def announce(self) -> None:
        """An announcement begins, or goes on."""
        if not self._is_announcing:
            self._announcement += 1
            self._is_announcing = True
            self.passed = _FIRST

    def rank(self, download: _Download) -> None:
        """It is the next one of what is being announced."""
        download.is_announced = True
        self._place += 1
        download.rank = (-self._announcement, self._place)

    def show(self, name: str) -> _Download | None:
        """What was to be shown until now, where that was another one."""
        is_same = self.shown is None or self.shown == name
        before = None if is_same else self.find(self.shown or "")
        self.shown = name
        self._is_announcing = False
        return before

    def need(self, download: _Download) -> None:
        """One more showing needs its bytes."""
        self.needed[download] = self.needed.get(download, 0) + 1

    def release(self, download: _Download) -> None:
        """One showing of those that need them has made use of them."""
        self.needed[download] -= 1
        if not self.needed[download]:
            del self.needed[download]


class _Room:
    """What of the images of a session is kept, and what there is room for."""

    def __init__(self, images: _Images) -> None:
        self._images = images
        self._uses = 0

    def use(self, download: _Download) -> None:
        """It is there, and shown, or was."""
        self._uses += 1
        download.rank, download.is_announced = (0, self._uses), False

    def has_room(self, download: _Download) -> bool:
        """Whether what comes before it, what is needed and what is here in part leave some."""
        size = 0
        for one in self._images:
            is_before = one.is_announced and one.rank < download.rank
            if one.is_pending or is_before or one in self._images.needed:
                size += one.have
        return size < MAX_KEPT

    @property
    def takes_needed(self) -> bool:
        """Whether what was fetched and is still to be made use of leaves some for more of it."""
        here = [one.have for one in self._images.needed if not one.is_pending]
        return sum(here) < MAX_KEPT

    def evict(self, arrived: _Download) -> list[Evict]:
        """What has to go, now that this one is there, or shown."""
        there = [one for one in self._images if one.state is _State.THERE]
        others = [one for one in there if one.name != self._images.shown]
        behind = [one for one in others if one.is_announced and one.rank[0] > arrived.rank[0]]
        if not arrived.is_announced:
            behind = []  # what is to be shown now is the first to go when another is
        going = [*self._spent(others), *self._last_first(behind)]
        return self._make_room(going, sum(one.have for one in there))

    def trim(self) -> list[Evict]:
        """What has to go, as all but what is to be shown and what is under way is too much."""
        others = [one for one in self._images if one.name != self._images.shown]
        resting = [one for one in others if one.state is not _State.RUNNING and one.have]
        parts = [one for one in resting if one.state is _State.WAITING]
        ahead = []
        if not self._images.needed.keys().isdisjoint(others):  # beside it, others have less room
            ahead = [one for one in resting if one.state is _State.THERE and one.is_announced]
        owed = [one for one in self._images.owed if one in parts]
        going = [
            *self._spent(resting),
            *self._last_first(parts),
            *reversed(owed),
            *self._last_first(ahead),
        ]
        return self._make_room(going, sum(one.have for one in resting))

    def _spent(self, others: Sequence[_Download]) -> list[_Download]:
        """Those that were shown and are of use to nobody, the longest ago first."""
        there = [one for one in others if one.state is _State.THERE and not one.is_announced]
        spent = [one for one in there if one not in self._images.needed]
        return sorted(spent, key=lambda one: one.rank)

    def _last_first(self, others: Sequence[_Download]) -> list[_Download]:
        unneeded = [one for one in others if one not in self._images.needed]
        return sorted(unneeded, key=lambda one: one.rank, reverse=True)

    def _make_room(self, going: Sequence[_Download], size: int) -> list[Evict]:
        """Have these go, in their order, until the rest of so many bytes fits."""
        gone: list[Evict] = []
        for one in going:
            if size <= MAX_KEPT:
                break
            size -= one.have
            gone.append(Evict(one.name))
            if one.state is _State.WAITING:
                one.have = 0
            elif one.is_announced:
                one.begin_anew()
            else:
                self._images.remove(one)
        return gone


class Downloads:
    """The images of one session.

    :param pause: seconds to wait after so many failures in a row; it throws the dice.
    """

    def __init__(self, pause: Callable[[int], float]) -> None:
        self._images = _Images()
        self._room = _Room(self._images)
        self._tries = _Tries(pause)
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
        coming, passed = self._images.coming, self._images.passed
        return [one.name for one in sorted(coming, key=lambda one: one.rank < passed)]

    def announce(self, images: Sequence[UpcomingImage], now: float) -> list[DownloadOutput]:
        """What will be shown soon, the next one first.

        An announcement goes before those before it. It may come in parts: what follows without an
        image that is shown in between is a part of the same.
        """
        self._images.announce()
        outputs: list[DownloadOutput] = []
        for image in images:
            self._images.rank(self._take(image, now + PRELOAD_PAUSE))
        queue = [one for one in self._images.coming if one.state is not _State.THERE]
        for download in queue[MAX_ANNOUNCED:]:
            outputs += self._drop(download, CROWDED_OUT)
        return [*outputs, *self._advance(now)]

    def show(
        self, image: UpcomingImage, now: float, *, is_needed: bool = False
    ) -> list[DownloadOutput]:
        """This one is to be shown now, and no other any more.

        :param is_needed: its bytes are needed whatever is shown next, until `released` is called
            for this showing.
        """
        outputs: list[DownloadOutput] = []
        before = self._images.show(image_key(image.image_url, image.signed_url))
        is_of_use = before is None or before.is_announced or before in self._images.needed
        if before is not None and not is_of_use:
            if before.is_pending:
                outputs += self._drop(before, SUPERSEDED)
            elif before.state is _State.FAILED:
                self._images.remove(before)
        download = self._take(image, now)
        if is_needed:
            self._images.need(download)
        if download.is_announced:
            self._images.passed = download.rank
        if download.state is _State.THERE:
            self._room.use(download)
            outputs += self._room.evict(download)
        if download.failures == 0:
            download.again = -math.inf
        for one in self._images.owed[:-MAX_ANNOUNCED]:
            outputs += self._drop(one, CROWDED_OUT)
        return [*outputs, *self._advance(now)]

    def released(self, name: str, now: float) -> list[DownloadOutput]:
        """A showing that has got its bytes needs them no more."""
        download = self._images.find(name)
        if download is None or download not in self._images.needed or download.is_pending:
            return []
        self._images.release(download)
        return self._advance(now)

    def withdraw(self, keep: Collection[str], now: float) -> list[DownloadOutput]:
        """Of what is announced, only these are still of use, beside what is to be shown."""
        kept = {*keep, self._images.shown}
        gone = [one for one in self._images if one.is_pending and one.name not in kept]
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
        is_owed = download in self._images.needed and not download.is_announced
        if download.name == self._images.shown or is_owed:
            self._room.use(download)
        return [*self._room.evict(download), *self._advance(now)]

    def failed(self, number: int, failure: Failure, now: float) -> list[DownloadOutput]:
        """The try has come to nothing."""
        download = self._tries.find(number)
        if download is None:
            return []
        return [*self._fail(download, failure, now), *self._advance(now)]

    def tick(self, now: float) -> list[DownloadOutput]:
        """`due` has come."""
        outputs: list[DownloadOutput] = []
        for download in self._tries.overdue(now):
            outputs.append(Stop(download.number))
            failure = STALLED if download.have > 0 else SILENT
            outputs += self._fail(download, failure, now)
        return [*outputs, *self._advance(now)]

    # ── what follows from it ─────────────────────────────────────────────────────────────────────

    def _take(self, image: UpcomingImage, first: float) -> _Download:
        """The one of this name, with the URL that is newest; one that is new may begin then."""
        download = self._images.take(image, first)
        self._tries.renew(download, image)
        return download

    def _drop(self, download: _Download, reason: str) -> list[DownloadOutput]:
        self._images.remove(download)
        return [*self._tries.stop(download), GivenUp(download.name, reason)]

    def _fail(self, download: _Download, failure: Failure, now: float) -> list[GivenUp]:
        given_up = self._tries.fail(download, failure, now)
        if given_up:
            self._images.needed.pop(download, None)  # who needed it knows
            if not download.is_announced and download.name != self._images.shown:
                self._images.remove(download)
        return given_up

    def _next(self) -> list[_Download]:
        """What waits and may be fetched, once its pause is over; the first one first."""
        urgent = self._images.urgent
        if urgent is not None:
            may_start = urgent.state is _State.WAITING
            is_needed = urgent in self._images.needed
            return [urgent] if may_start and (self._room.takes_needed or not is_needed) else []
        if len(self._tries) >= MAX_FETCHES:
            return []
        owed = [one for one in self._images.owed if one.state is _State.WAITING]
        ahead = self._images.ahead
        return [
            *(owed if owed and self._room.takes_needed else []),
            *(ahead if ahead and self._room.has_room(ahead[0]) else []),
        ]

    def _advance(self, now: float) -> list[DownloadOutput]:
        """Start and stop what is to be started and stopped now."""
        outputs: list[DownloadOutput] = []
        urgent = self._images.urgent
        if urgent is not None:
            outputs += self._tries.stop_all(but=urgent)
        outputs += self._room.trim()
        for download in self._next():
            if download.again <= now and len(self._tries) < MAX_FETCHES:
                outputs.append(self._tries.start(download, now, is_urgent=download is urgent))
        waiting = self._images.ahead
        is_full = bool(waiting) and not self._room.has_room(waiting[0])
        return [*outputs, *self._telling.count(self._images.coming, is_full, now)]
