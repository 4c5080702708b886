"""The image host: a folder served from here, or whoever serves what a manifest names."""

import time
from collections.abc import Sequence
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

    :param url: the relay's; a folder is served on the address that faces it.
    :param source: a folder or a manifest.
    """
    try:
        address = await local_address_towards_relay(url)
        relay = await place_of_relay(url)
        async with open_images(source, address=address) as images, open_fetcher() as fetcher:
            findings = [await _check_image(fetcher, image) for image in _one_of_each(images)]
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


def _one_of_each(images: Sequence[ImageRef]) -> list[ImageRef]:
    first: dict[str, ImageRef] = {}
    for image in images:
        first.setdefault(_host_of(image), image)
    return list(first.values())[:MAX_HOSTS]


def _host_of(image: ImageRef) -> str:
    parts = urlsplit(image.signed_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


async def _check_image(fetcher: Fetcher, image: ImageRef) -> Finding:
    what = f"image {image.index} of {_host_of(image)}"
    way = words_of_way(_destination_of(image))
    before = time.perf_counter()
    try:
        fetched = await fetcher.fetch(image.signed_url)
    except FetchFailed as exc:
        advice = advice_on(exc.reason) or "open its URL in a browser to see more"
        why = f"{exc.reason} ({exc.detail})" if exc.detail else exc.reason
        return Finding("images", Result.FAILED, f"{what} can't be had{way}: {why}", advice)
    took = 1000 * (time.perf_counter() - before)
    size = f"{len(fetched.body)} bytes of {fetched.kind}"
    detail = f"{what} came in {took:.0f} ms, {size}{way}"
    if way and image.signed_url.lower().startswith("http:"):
        advice = (
            "the proxy sees the signed URLs: serve images by https, or name the host in NO_PROXY"
        )
        return Finding("images", Result.WARNING, detail, advice)
    return Finding("images", Result.OK, detail)


def _destination_of(image: ImageRef) -> Destination:
    parts = urlsplit(image.signed_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Destination(parts.scheme, parts.hostname or "", port)
