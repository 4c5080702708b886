"""Fetch images over HTTP and make sure that they are images. Needs the extra `cli` (httpx).

`Fetcher.transfer` is one try: a URL and an offset go in, bytes come out. What is fetched when, and
how often, is decided in `core.channel.downloads`.
"""

import logging
import os
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs
import trio

from imgsync.core.channel.downloads import SILENT, STALLED, Failure
from imgsync.core.pictures.answers import refusal_of
from imgsync.core.pictures.facts import Facts
from imgsync.core.pictures.inspection import Inspection
from imgsync.core.protocol.errors import ImgsyncError, MissingExtra
from imgsync.core.protocol.lengths import cut
from imgsync.core.protocol.numbers import (
    BAD_HASH,
    FETCH_STALL,
    MAX_DETAIL,
    MAX_IMAGE,
    NOT_AN_IMAGE,
    RETRIED_STATUSES,
    TRUNCATED,
)
from imgsync.core.protocol.web_urls import is_web_url
from imgsync.distribution import missing_extra
from imgsync.environment import trusted_context
from imgsync.images.refusals import MAX_REFUSAL, describe_refusal

try:
    import httpx
except ImportError:
    httpx = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

MAX_STEM = 80
"""Bytes. File systems allow 255 for a whole name."""

REFUSAL_DEADLINE = 1.0
"""Seconds for what a host says of its refusal; the status is known without it."""


NO_HTTP = "no_http"
"""The reason of what fails because httpx is not installed."""


class FetchFailed(ImgsyncError):
    """An image could not be fetched.

    `reason` is a short word for it, such as "http_403"; `detail` says in plain words what else is
    known, and may be empty.
    """

    def __init__(self, failure: Failure) -> None:
        more = f" ({failure.detail})" if failure.detail else ""
        super().__init__(f"the image could not be fetched: {failure.reason}{more}")
        self.failure = failure

    @property
    def reason(self) -> str:
        """Why, in a short word."""
        return self.failure.reason

    @property
    def detail(self) -> str:
        """What else is known of it, for people."""
        return self.failure.detail


def _failed(reason: str, detail: str = "", *, may_pass: bool = False) -> FetchFailed:
    return FetchFailed(Failure(reason, may_pass=may_pass, detail=detail))


@attrs.frozen
class Fetched:
    """An image's bytes, and which kind they are.

    :param facts: which picture they are.
    """

    body: bytes | bytearray = attrs.field(repr=False)
    kind: str
    facts: Facts = attrs.field(repr=False)


@attrs.frozen
class Mark:
    """What tells one version of an image from another, as far as its host says.

    :param total: bytes of all of it; None where that is not known.
    :param validator: a strong ETag, or when it was changed last.
    :param sha256: of all of it, where who sends it says so; it is compared.
    """

    total: int | None = None
    validator: str | None = None
    sha256: str | None = None


@attrs.frozen
class Answer:
    """A host answers: from this offset on its bytes follow.

    :param is_resumable: whether a later try can go on from where this one stops.
    """

    offset: int
    mark: Mark
    is_resumable: bool


class Partial:
    """What is here of an image, checked as it came."""

    def __init__(self) -> None:
        self._begin(Mark())

    def _begin(self, mark: Mark) -> None:
        self.mark = mark
        # It grows as bytes come: many that have barely begun may wait, each with a length that is
        # only a promise of its host's.
        self._body = bytearray()
        self._inspection = Inspection()

    @property
    def here(self) -> int:
        """Bytes that are here."""
        return len(self._body)

    def hear(self, news: Answer | bytes) -> None:
        """The next that comes of it. Raises FetchFailed for what will be no image."""
        if isinstance(news, Answer):
            if news.offset == 0:
                self._begin(news.mark)
            self.mark = news.mark
            return
        if len(news) > MAX_IMAGE - self.here:
            raise _failed("too_large")
        self._body += news
        # It takes 0.1 ms for 64 KiB, which is less than to hand them to a thread and wait for it.
        reason = self._inspection.feed(news)
        if reason is not None:
            raise _failed(reason)

    def finish(self) -> Fetched:
        """All has come. Raises FetchFailed where that is no whole image."""
        verdict = self._inspection.end()
        if verdict.kind is None or verdict.reason is not None:
            raise _failed(verdict.reason or NOT_AN_IMAGE)
        facts = self._inspection.facts
        if self.mark.sha256 not in (None, facts.sha256):
            detail = "other bytes have come than the evaluator has said"
            raise _failed(BAD_HASH, detail, may_pass=True)
        return Fetched(self._body, verdict.kind.name, facts)


class Fetcher:
    """Made by `open_fetcher`."""

    def __init__(self, http: "httpx.AsyncClient") -> None:
        self._http = http

    async def fetch(self, signed_url: str) -> Fetched:
        """Fetch one image, in one try. Raises FetchFailed, whose text never holds the URL."""
        partial = Partial()

        def hear(news: Answer | bytes) -> None:
            patience.deadline = trio.current_time() + FETCH_STALL
            partial.hear(news)

        with trio.move_on_after(FETCH_STALL) as patience:
            await self.transfer(signed_url, 0, Mark(), hear)
        if patience.cancelled_caught:
            raise FetchFailed(STALLED if partial.here else SILENT)
        return partial.finish()

    async def transfer(
        self, signed_url: str, offset: int, mark: Mark, hear: Callable[[Answer | bytes], None]
    ) -> None:
        """One try to fetch an image, from an offset on. It takes any time, as long as bytes come.

        Raises FetchFailed, whose text never holds the URL, and what `hear` raises of it.

        :param mark: of the answer that has brought what is here.
        :param hear: is told the answer, and then all bytes as they come.
        """
        url = _parse_url(signed_url)
        progress = _Progress()
        try:
            async with self._http.stream("GET", url, headers=_range(offset, mark)) as response:
                answer = await _judge(response, signed_url, offset, mark)
                progress.answer, progress.here = answer, answer.offset
                hear(answer)
                async for part in response.aiter_bytes():
                    progress.here += len(part)
                    hear(part)
        except FetchFailed:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as exc:
            raise FetchFailed(_translate(exc, progress)) from None
        except Exception as exc:
            # URL and answer are the other side's; nobody but this fetch may suffer by them.
            log.warning("fetching an image failed in an unknown way: %s", type(exc).__name__)
            raise _failed("unreachable", may_pass=True) from None


@attrs.define
class _Progress:
    """How far a try has come."""

    answer: Answer | None = None
    here: int = 0


def _range(offset: int, mark: Mark) -> dict[str, str]:
    if offset == 0 or mark.validator is None:
        return {}
    # A part of what was packed would be of no use.
    part = f"bytes={offset}-"
    return {"range": part, "if-range": mark.validator, "accept-encoding": "identity"}


_PART = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)")


async def _judge(response: "httpx.Response", signed_url: str, offset: int, mark: Mark) -> Answer:
    """What an answer brings. Raises FetchFailed."""
    status, headers = response.status_code, response.headers
    if offset > 0 and status in (206, 416):
        part = _PART.fullmatch(headers.get("content-range", ""))
        found = None if part is None else (int(part[1]), int(part[2]) + 1, int(part[3]))
        # 416: no image is shorter than what is here of it, so it is another one by now.
        if status == 416 or found != (offset, mark.total, mark.total):
            detail = "its host sent another part than was asked for"
            raise _failed("bad_range", detail, may_pass=True)
        return Answer(offset, mark, is_resumable=True)
    refusal = refusal_of(status, headers.get("content-range", ""))
    if refusal is not None:
        text = await _read_refusal(response)
        may_pass = status >= 500 or status in RETRIED_STATUSES
        detail = describe_refusal(status, signed_url, text, time.time() * 1000)
        raise _failed(refusal, detail, may_pass=may_pass)
    length = headers.get("content-length", "")
    is_packed = headers.get("content-encoding", "identity") != "identity"
    total = int(length) if length.isdecimal() and len(length) < 16 and not is_packed else None
    tag = headers.get("etag", "W/")
    # A weak tag is that of what looks the same, and not of the same bytes.
    found_mark = Mark(total, headers.get("last-modified") if tag.startswith("W/") else tag)
    if total is not None and total > MAX_IMAGE:
        raise _failed("too_large")
    return Answer(0, found_mark, is_resumable=None not in (total, found_mark.validator))


async def _read_refusal(response: "httpx.Response") -> str:
    text = b""
    with trio.move_on_after(REFUSAL_DEADLINE):
        async for part in response.aiter_bytes():
            text += part
            if len(text) >= MAX_REFUSAL:
                break
    return text[:MAX_REFUSAL].decode(errors="replace")


_NO_SUCH_HOST = Failure(
    "unknown_host", may_pass=False, keeps=True, detail="no host of this name is known"
)


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        for inner in getattr(exc, "exceptions", ()):
            yield from _causes(inner)
        exc = exc.__cause__ or exc.__context__


def _translate(exc: Exception, progress: _Progress) -> Failure:
    """What a failure of httpx is to us."""
    answer = progress.answer
    if isinstance(exc, httpx.DecodingError):
        return Failure("bad_encoding", False, detail="what its host has packed can't be unpacked")
    if answer is not None:
        of = "" if answer.mark.total is None else f" of {answer.mark.total}"
        detail = f"it broke off after {progress.here}{of} bytes"
        return Failure(TRUNCATED, may_pass=True, keeps=True, detail=detail)
    if isinstance(exc, httpx.TooManyRedirects):
        return Failure("redirect_loop", may_pass=False, detail="its host redirects without an end")
    if isinstance(exc, httpx.ProxyError):
        return Failure("proxy", may_pass=True, keeps=True, detail=cut(str(exc), MAX_DETAIL))
    if isinstance(exc, UnicodeError):
        return _NO_SUCH_HOST
    if isinstance(exc, httpx.RemoteProtocolError) and "location header" not in str(exc):
        if "without sending" in str(exc):
            detail = "its host closed the connection without an answer"
            return Failure("unreachable", may_pass=True, keeps=True, detail=detail)
        return Failure(
            "bad_answer", may_pass=True, keeps=True, detail="what answers speaks no HTTP"
        )
    if isinstance(exc, (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.RemoteProtocolError)):
        # The URL itself was looked at before.
        detail = "its host redirects to what is no URL of a web server"
        return Failure("bad_redirect", may_pass=False, detail=detail)
    return _translate_network(exc)


def _translate_network(exc: Exception) -> Failure:
    for cause in _causes(exc):
        if isinstance(cause, ssl.SSLCertVerificationError):
            is_name = cause.verify_code == 62  # X509_V_ERR_HOSTNAME_MISMATCH
            why = "it is for another name" if is_name else cause.verify_message
            return Failure("tls", may_pass=False, detail=f"its certificate is not trusted: {why}")
        if isinstance(cause, ssl.SSLError):
            why = (cause.reason or "it failed").replace("_", " ").lower()
            return Failure("tls", may_pass=False, detail=f"TLS with its host: {why}")
        if isinstance(cause, socket.gaierror):
            # Without a network, no name server answers.
            return attrs.evolve(_NO_SUCH_HOST, may_pass=cause.errno == socket.EAI_AGAIN)
    return Failure("unreachable", may_pass=True, keeps=True)


def _parse_url(signed_url: str) -> "httpx.URL":
    """Raises FetchFailed."""
    try:
        if is_web_url(signed_url):
            return httpx.URL(signed_url)
    except (httpx.InvalidURL, UnicodeError):
        pass  # a host's name that can't be encoded
    raise _failed("bad_url")


class _NoCookies(CookieJar):
    """Stays empty. With any cookie, httpx reads each URL a second time, and by other rules."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Take none."""


def _missing_http() -> MissingExtra:
    return missing_extra("fetching images needs httpx", "cli")


class _NoFetcher(Fetcher):
    """Where httpx is not installed: fetches nothing, and says so of each URL."""

    def __init__(self) -> None:
        self._is_told = False

    async def transfer(self, *_: object) -> None:
        """Raises FetchFailed."""
        why = str(_missing_http())
        if not self._is_told:
            self._is_told = True
            log.warning("an image is to be fetched from a web server: %s", why)
        raise _failed(NO_HTTP, why)


@asynccontextmanager
async def open_fetcher(
    *, tls: ssl.SSLContext | None = None, is_needed: bool = True
) -> AsyncIterator[Fetcher]:
    """Own an HTTP client, which keeps no cookies. Raises MissingExtra and InputError.

    :param tls: whose certificates are taken; by default see `trusted_context`.
    :param is_needed: else a missing extra is told once there is something to fetch.
    """
    if httpx is None:
        if is_needed:
            raise _missing_http()
        yield _NoFetcher()
        return
    # They write whole URLs, and so signatures, into their logs; the last one those of redirects.
    for name in ("httpx", "httpcore", "httpcore.http11"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from imgsync.images.outlet import Outlet

    outlet = Outlet(tls or trusted_context())
    async with httpx.AsyncClient(
        transport=outlet,
        follow_redirects=True,
        cookies=_NoCookies(),
        timeout=None,
        trust_env=False,
    ) as http:
        yield Fetcher(http)


def save_image(folder: Path, index: int, image_url: str, fetched: Fetched) -> Path:
    """Write an image into a folder under its index and name; whole or not at all."""
    path = folder / f"{index:04d}-{_stem_of(image_url)}.{fetched.kind}"
    # A name of its own for each: an image may be shown, and saved, twice at the same time.
    partial = folder / f".{token_hex(8)}.partial"
    try:
        partial.write_bytes(fetched.body)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _stem_of(image_url: str) -> str:
    """The image's name without its suffix, in characters that no system takes amiss."""
    try:
        name = unquote(urlsplit(image_url).path.rpartition("/")[2])
    except ValueError:  # it may name an image without being a URL
        name = ""
    stem = re.sub(r"[^\w.-]+", "_", Path(name).stem)
    return stem.encode()[:MAX_STEM].decode(errors="ignore") or "image"
