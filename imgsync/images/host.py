"""The embedded image host: a folder's images under signed, expiring URLs, and nothing else.

Only the images that were listed at the start are served, by name, so there is no path to traverse.
Its port is taken at the start, so that its URLs are known; it is listened on from the moment on in
which a client needs it, which may never come.

The process that serves has sessions, too: connections have no more than a part of the files that it
may open, and those of one address half of that. One on which nothing is asked for gives way to one
that is new.
"""

import errno
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

import trio

from imgsync.core.protocol.errors import InputError
from imgsync.files import max_open_files, why_of
from imgsync.images.own import OwnPicture
from imgsync.images.served import READERS, OpenFile, ServedFile, Version
from imgsync.images.signing import is_signed, sign_path
from imgsync.net.hosts import with_port
from imgsync.net.http import Request, Response, refuse
from imgsync.net.limits import NetLimits
from imgsync.net.ports import Listeners, TakenPort, take_port
from imgsync.net.server import Site, serve_site
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

URL_LIFETIME = 3600
"""Seconds. A client that comes back is sent the current image's URL again, so it has to outlast
an interruption, not only a fetch."""

RESERVED_FILES = 256
"""Files that are left to all else that this process does; a session has ten sockets or so."""

MAX_CONNECTIONS = 512
"""At a time, however many files there may be. A browser has six of them."""

_PREFIX = "/images/"

# The signature is the permission; pages of any origin may use it, and learn why it is refused.
_ANY_ORIGIN = ("access-control-allow-origin", "*")

# All that a client asks for that goes on where it has stopped (RFC 9110, section 14.2: any other
# range may be passed over).
_REST = re.compile(r"bytes=([0-9]{1,15})-")

_HEADERS = (
    _ANY_ORIGIN,
    ("access-control-expose-headers", "ETag, Content-Range"),
    ("accept-ranges", "bytes"),
    # Else a page sees of a fetch only when it began and ended, and not what the network took of it.
    ("timing-allow-origin", "*"),
    ("cross-origin-resource-policy", "cross-origin"),
    ("cache-control", f"private, max-age={URL_LIFETIME}"),
    # An SVG that is opened by itself must not run scripts.
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
)


# Another try may find some free (RFC 9110, section 15.6.4).
_CROWDED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN))
_SOON = ("retry-after", "1")


def limits_for(files: int) -> NetLimits:
    """How many connections a host has where so many files may be open in all."""
    reserved = min(RESERVED_FILES, files // 2)
    # Each has a socket, and a file while it is answered.
    streams = max(4, min(MAX_CONNECTIONS, (files - reserved) // 2))
    return NetLimits(max_streams=streams, max_streams_per_address=streams // 2, idle_gives_way=True)


class ImageHost:
    """Serves images by name. Made by `open_image_host`."""

    def __init__(
        self,
        address: str,
        port: TakenPort,
        file_of: Callable[[str], ServedFile],
        limits: NetLimits,
    ) -> None:
        self._base_url = f"http://{with_port(address, port.number)}"
        self._port = port
        self._file_of = file_of
        self._limits = limits
        #: Names of files that could not be read when they were asked for last.
        self._unreadable: set[str] = set()
        self._key = secrets.token_bytes(32)
        self._listeners: Listeners = []
        self._wanted = trio.Event()

    def serve(self) -> None:
        """Serve from now on; any number of times. Who connects at once waits for an instant."""
        if self._wanted.is_set():
            return
        try:
            self._listeners = self._port.listen()
        except OSError as exc:  # it has been closed, or another program was given the port
            log.warning("images can't be served on %s: %s", self._base_url, exc.strerror)
        else:
            log.info("images are served on %s", self._base_url)
            self._wanted.set()

    async def run(self) -> None:
        """Serve as soon as that is wanted, until cancelled."""
        await self._wanted.wait()
        await serve_site(Site(http=self.answer, limits=self._limits), self._listeners)

    def url_of(self, name: str) -> str:
        """An image's URL, without permission to fetch it."""
        return f"{self._base_url}{_PREFIX}{quote(name, safe='')}"

    def signed_url_of(self, name: str) -> str:
        """An image's URL with permission to fetch it for URL_LIFETIME."""
        expires = int(time.time()) + URL_LIFETIME
        return f"{self.url_of(name)}?{sign_path(self._key, _PREFIX + name, expires)}"

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        if not is_signed(self._key, request.path, request.query, time.time()):
            # Anybody can have that said, as often as they like.
            log.debug("403 for %.200r: not signed, or no longer", request.path)
            return refuse(403, "This URL is not signed, or its time is over.", _ANY_ORIGIN)
        name = request.path.removeprefix(_PREFIX)
        try:
            file = await self._file_of(name).open()
        except OSError as exc:
            return self._refuse_unread(name, exc)
        self._unreadable.discard(name)
        return _respond(request, file)

    def _refuse_unread(self, name: str, exc: OSError) -> Response:
        level = logging.DEBUG if name in self._unreadable else logging.WARNING
        self._unreadable.add(name)
        log.log(level, "can't read %r: %s", name, why_of(exc))
        if exc.errno in _CROWDED:
            return refuse(503, "This image can't be read now.", _ANY_ORIGIN, _SOON)
        return refuse(404, "This image can't be read any more.", _ANY_ORIGIN)


def _respond(request: Request, file: OpenFile) -> Response:
    version, size = file.version, file.size
    headers = (*_HEADERS, ("etag", version.tag))
    offset = _offset_of(request, version.tag)
    if offset is None or offset >= size:
        log.info("200 for %.200r: %d bytes", request.path, size)
        return Response(200, file, version.content_type, headers)
    log.info("206 for %.200r: from byte %d of %d", request.path, offset, size)
    file.seek(offset)
    part = ("content-range", f"bytes {offset}-{size - 1}/{size}")
    return Response(206, file, version.content_type, (*headers, part))


def _offset_of(request: Request, tag: str) -> int | None:
    """Where the rest begins that is asked for; None where all is, or another range than a rest."""
    rest = _REST.fullmatch(request.headers.get("range", ""))
    if rest is None or request.method != "GET" or request.headers.get("if-range", tag) != tag:
        return None
    return int(rest[1])


@asynccontextmanager
async def open_image_host(
    address: str,
    files: Mapping[str, Path],
    pictures: Iterable[OwnPicture] = (),
    *,
    at_once: bool = True,
    limits: NetLimits | None = None,
) -> AsyncIterator[ImageHost]:
    """Serve files by name on a free port of this address. Raises InputError.

    :param pictures: what is known of some of these files, which need not be read for that again.
    :param limits: by default those that the files leave that this process may open.
    :param at_once: else it serves from the moment on in which `serve` is called.
    """
    if "%" in address:
        raise InputError(
            f"a folder can't be served on {address}, as no URL can name a link-local address;"
            " give the relay by another one of its addresses"
        )
    port = await take_port(address)
    try:
        known = {one.path: one for one in pictures}
        readers = trio.CapacityLimiter(READERS)

        @cache  # a folder may have thousands, of which few are asked for
        def serve_file(name: str) -> ServedFile:
            picture = known.get(files[name])
            version = None if picture is None else Version.of(picture)
            return ServedFile(files[name], version, readers)

        fitting = limits or limits_for(max_open_files())
        image_host = ImageHost(address, port, serve_file, fitting)
        async with open_background() as nursery:
            nursery.start_soon(image_host.run)
            if at_once:
                image_host.serve()
            yield image_host
    finally:
        port.close()
