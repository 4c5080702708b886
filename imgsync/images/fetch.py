"""Fetch images over HTTP and make sure that they are images. Needs the extra `cli` (httpx)."""

import logging
import os
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs
import trio

from imgsync.backoff import backoff
from imgsync.core.pictures.answers import refusal_of
from imgsync.core.pictures.check import PictureCheck
from imgsync.core.protocol.errors import ImgsyncError
from imgsync.core.protocol.numbers import (
    FETCH_DEADLINE,
    FETCH_TRIES,
    MAX_IMAGE,
    NOT_AN_IMAGE,
    RETRIED_STATUSES,
)
from imgsync.distribution import missing_extra
from imgsync.images.urls import is_web_url

try:
    import httpx
except ImportError:
    httpx = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

MAX_STEM = 80
"""Bytes. File systems allow 255 for a whole name."""


class FetchFailed(ImgsyncError):
    """An image could not be fetched; `reason` is a short word for it, such as "http_403"."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the image could not be fetched: {reason}")
        self.reason = reason

    @property
    def may_pass(self) -> bool:
        """Whether it is worth another try. A timeout is not: the image's time is over by then."""
        status = self.reason.removeprefix("http_")
        is_retried = status.isdecimal() and (int(status) in RETRIED_STATUSES or int(status) >= 500)
        return is_retried or self.reason == "unreachable"


@attrs.frozen
class Fetched:
    """An image's bytes, and which kind they are."""

    body: bytes = attrs.field(repr=False)
    kind: str


class Fetcher:
    """Made by `open_fetcher`."""

    def __init__(self, http: "httpx.AsyncClient") -> None:
        self._http = http

    async def fetch(self, signed_url: str) -> Fetched:
        """Fetch one image. Raises FetchFailed, whose text never holds the URL, and nothing else."""
        url = _parse_url(signed_url)
        body = bytearray()
        check = PictureCheck()
        try:
            with trio.fail_after(FETCH_DEADLINE):
                async with self._http.stream("GET", url) as response:
                    content_range = response.headers.get("content-range", "")
                    refusal = refusal_of(response.status_code, content_range)
                    if refusal is not None:
                        raise FetchFailed(refusal)
                    async for part in response.aiter_bytes():
                        body += part
                        if len(body) > MAX_IMAGE:
                            raise FetchFailed("too_large")
                        check.feed(part)
        except FetchFailed:
            raise
        except (trio.TooSlowError, httpx.TimeoutException):
            raise FetchFailed("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            # The last two of a redirect, or of a name that can't be looked up.
            raise FetchFailed("unreachable") from None
        except Exception as exc:
            # URL and answer are the other side's; nobody but this fetch may suffer by them.
            log.warning("fetching an image failed in an unknown way: %s", type(exc).__name__)
            raise FetchFailed("unreachable") from None
        verdict = check.end()
        if verdict.kind is None or verdict.reason is not None:
            raise FetchFailed(verdict.reason or NOT_AN_IMAGE)
        return Fetched(bytes(body), verdict.kind.name)

    async def fetch_persistently(self, signed_url: str) -> Fetched:
        """Fetch one image, and again where that may help. Raises FetchFailed."""
        for failures in range(1, FETCH_TRIES):
            try:
                return await self.fetch(signed_url)
            except FetchFailed as exc:
                if not exc.may_pass:
                    raise
            await trio.sleep(backoff(failures - 1))
        return await self.fetch(signed_url)


def _parse_url(signed_url: str) -> "httpx.URL":
    """Raises FetchFailed."""
    try:
        if is_web_url(signed_url):
            return httpx.URL(signed_url)
    except (httpx.InvalidURL, UnicodeError):
        pass  # a host's name that can't be encoded
    raise FetchFailed("bad_url")


class _NoCookies(CookieJar):
    """Stays empty. With any cookie, httpx reads each URL a second time, and by other rules."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Take none."""


@asynccontextmanager
async def open_fetcher(*, verify: ssl.SSLContext | bool = True) -> AsyncIterator[Fetcher]:
    """Own an HTTP client, which keeps no cookies. Raises MissingExtra.

    :param verify: whose certificates are taken; loading the usual ones takes a moment.
    """
    if httpx is None:
        raise missing_extra("fetching images needs httpx", "cli")
    # They write whole URLs, and so signatures, into their logs; the last one those of redirects.
    for name in ("httpx", "httpcore", "httpcore.http11"):
        logging.getLogger(name).setLevel(logging.WARNING)
    async with httpx.AsyncClient(
        follow_redirects=True, verify=verify, cookies=_NoCookies()
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
