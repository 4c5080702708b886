"""The image host: a folder served from here, or whoever serves what a manifest names."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from imgsync.commands.doctor.findings import Finding, Result
from imgsync.commands.doctor.ways_out import words_of_way
from imgsync.commands.events import find_out_of_reach, group_left_out
from imgsync.commands.reasons import advice_on, advice_on_left_out
from imgsync.core.network.proxies import Destination
from imgsync.core.network.reach import ADVICE
from imgsync.core.protocol.errors import ConnectError, InputError, MissingExtra
from imgsync.images.fetch import Fetcher, FetchFailed, open_fetcher
from imgsync.images.ref import ImageRef
from imgsync.images.sources import open_images
from imgsync.net.connect import local_address_towards_relay, place_of_relay

MAX_HOSTS = 8
"""Hosts of a manifest that are asked for one image each."""


async def check_images(url: str, source: Path) -> list[Finding]:
    """Fetch an image from each host that the source would have clients fetch from.

    Those of a folder go over the connection itself; they are read, and that is all.

    :param url: the relay's; a folder is served on the address that faces it.
    :param source: a folder or a manifest.
    """
    try:
        address = await local_address_towards_relay(url)
        relay = await place_of_relay(url)
        async with open_images(source, address=address) as images:
            by_host = _one_of_each(images)
            findings = await _check_hosts(by_host) if by_host else [_describe_own(images)]
    except MissingExtra as exc:
        return [Finding("images", Result.SKIPPED, str(exc))]
    except (ConnectError, InputError) as exc:
        return [Finding("images", Result.FAILED, str(exc))]
    findings += [
        Finding("images", Result.WARNING, event.prose, advice_on_left_out(event.why))
        for event in group_left_out(images.left_out)
    ]
    return findings + [
        Finding("images", Result.WARNING, event.detail, ADVICE)
        for event in find_out_of_reach(relay, images)
    ]


def _describe_own(images: Sequence[ImageRef]) -> Finding:
    sizes = [image.picture.facts.bytes for image in images if image.picture is not None]
    detail = f"{len(sizes)} pictures, of {max(sizes)} bytes at most, go over the connection itself"
    return Finding("images", Result.OK, detail)


def _one_of_each(images: Sequence[ImageRef]) -> dict[str, tuple[int, str]]:
    """The place and the URL of the first image of each host, by host."""
    first: dict[str, tuple[int, str]] = {}
    for image in images:
        if (url := image.fetched_from) is not None:
            first.setdefault(_host_of(url), (image.index, url))
    return dict(list(first.items())[:MAX_HOSTS])


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


async def _check_hosts(by_host: Mapping[str, tuple[int, str]]) -> list[Finding]:
    async with open_fetcher() as fetcher:
        return [
            await _check_image(fetcher, f"image {index} of {host}", url)
            for host, (index, url) in by_host.items()
        ]


async def _check_image(fetcher: Fetcher, what: str, url: str) -> Finding:
    way = words_of_way(_destination_of(url))
    before = time.perf_counter()
    try:
        fetched = await fetcher.fetch(url)
    except FetchFailed as exc:
        advice = advice_on(exc.reason) or "open its URL in a browser to see more"
        why = f"{exc.reason} ({exc.detail})" if exc.detail else exc.reason
        return Finding("images", Result.FAILED, f"{what} can't be had{way}: {why}", advice)
    took = 1000 * (time.perf_counter() - before)
    size = f"{len(fetched.body)} bytes of {fetched.kind}"
    detail = f"{what} came in {took:.0f} ms, {size}{way}"
    if way and url.lower().startswith("http:"):
        advice = (
            "the proxy sees the signed URLs: serve images by https, or name the host in NO_PROXY"
        )
        return Finding("images", Result.WARNING, detail, advice)
    return Finding("images", Result.OK, detail)


def _destination_of(url: str) -> Destination:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Destination(parts.scheme, parts.hostname or "", port)
