"""The embedded image host: a folder's images under signed, expiring URLs, and nothing else.

Only the images that were listed at the start are served, by name, so there is no path to traverse.
Its port is taken at the start, so that its URLs are known; it is listened on from the moment on in
which a client needs it, which may never come.
"""

import hashlib
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import trio

from imgsync.core.protocol.errors import InputError
from imgsync.images.kinds import CONTENT_TYPES, SNIFF_SIZE, sniff_image
from imgsync.images.signing import is_signed, sign_path
from imgsync.net.hosts import with_port
from imgsync.net.http import Request, Response, refuse
from imgsync.net.server import Listeners, Site, TakenPort, serve_site, take_port
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

URL_LIFETIME = 3600
"""Seconds. A client that comes back is sent the current image's URL again, so it has to outlast
an interruption, not only a fetch."""

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


class ImageHost:
    """Serves images by name. Made by `open_image_host`."""

    def __init__(self, address: str, port: TakenPort, files: Mapping[str, Path]) -> None:
        self._base_url = f"http://{with_port(address, port.number)}"
        self._port = port
        self._files = files
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
            self._wanted.set()

    async def run(self) -> None:
        """Serve as soon as that is wanted, until cancelled."""
        await self._wanted.wait()
        await serve_site(Site(http=self.answer), self._listeners)

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
            log.info("403 for %r: not signed, or no longer", request.path)
            return refuse(403, "This URL is not signed, or its time is over.", _ANY_ORIGIN)
        path = self._files[request.path.removeprefix(_PREFIX)]
        try:
            body = await trio.Path(path).read_bytes()
        except OSError as exc:
            log.warning("can't read %r: %s", str(path), exc.strerror)
            return refuse(404, "This image can't be read any more.", _ANY_ORIGIN)
        kind = sniff_image(body[:SNIFF_SIZE])
        content_type = CONTENT_TYPES.get(kind or "", "application/octet-stream")
        # Of the bytes themselves, so that the parts of two tries are of one image.
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = (*_HEADERS, ("etag", tag))
        offset = _offset_of(request, tag)
        if offset is None or offset >= len(body):
            log.info("200 for %r: %d bytes", request.path, len(body))
            return Response(200, body, content_type, headers)
        log.info("206 for %r: from byte %d of %d", request.path, offset, len(body))
        part = ("content-range", f"bytes {offset}-{len(body) - 1}/{len(body)}")
        return Response(206, body[offset:], content_type, (*headers, part))


def _offset_of(request: Request, tag: str) -> int | None:
    """Where the rest begins that is asked for; None where all is, or another range than a rest."""
    rest = _REST.fullmatch(request.headers.get("range", ""))
    if rest is None or request.method != "GET" or request.headers.get("if-range", tag) != tag:
        return None
    return int(rest[1])


@asynccontextmanager
async def open_image_host(
    address: str, files: Mapping[str, Path], *, at_once: bool = True
) -> AsyncIterator[ImageHost]:
    """Serve files by name on a free port of this address. Raises InputError.

    :param at_once: else it serves from the moment on in which `serve` is called.
    """
    if "%" in address:
        raise InputError(
            f"a folder can't be served on {address}, as no URL can name a link-local address;"
            " give the relay by another one of its addresses"
        )
    port = await take_port(address)
    try:
        image_host = ImageHost(address, port, files)
        async with open_background() as nursery:
            nursery.start_soon(image_host.run)
            if at_once:
                image_host.serve()
            yield image_host
    finally:
        port.close()
