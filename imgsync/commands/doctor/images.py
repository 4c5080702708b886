"""The image host: a folder served from here, or whoever serves what a manifest names."""

import ipaddress
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from imgsync.commands.doctor.findings import Finding, Result
from imgsync.commands.events import group_left_out
from imgsync.commands.reasons import advice_on, advice_on_left_out
from imgsync.core.protocol.errors import ConnectError, InputError, MissingExtra
from imgsync.images.fetch import Fetcher, FetchFailed, open_fetcher
from imgsync.images.ref import ImageRef
from imgsync.images.sources import FolderImages, open_images
from imgsync.net.connect import local_address_towards_relay, parse_relay_url

MAX_HOSTS = 8
"""Hosts of a manifest that are asked for one image each."""


async def check_images(url: str, source: Path) -> list[Finding]:
    """Fetch an image from each host that the source would have clients fetch from.

    :param url: the relay's; a folder is served on the address that faces it.
    :param source: a folder or a manifest.
    """
    try:
        address = await local_address_towards_relay(url)
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
    if isinstance(images, FolderImages) and _is_private(address) and not _is_near(url):
        advice = "clients elsewhere need a manifest of URLs on a host that they can reach"
        detail = f"{address}, where a folder is served, is an address of this network alone"
        findings.append(Finding("images", Result.WARNING, detail, advice))
    return findings


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
    before = time.perf_counter()
    try:
        fetched = await fetcher.fetch(image.signed_url)
    except FetchFailed as exc:
        advice = advice_on(exc.reason) or "open its URL in a browser to see more"
        why = f"{exc.reason} ({exc.detail})" if exc.detail else exc.reason
        return Finding("images", Result.FAILED, f"{what} can't be had: {why}", advice)
    took = 1000 * (time.perf_counter() - before)
    size = f"{len(fetched.body)} bytes of {fetched.kind}"
    return Finding("images", Result.OK, f"{what} came in {took:.0f} ms, {size}")


def _is_private(address: str) -> bool:
    return not ipaddress.ip_address(address).is_global


def _is_near(url: str) -> bool:
    """Whether the relay is given by an address of this network, and so its peers may be, too."""
    host = parse_relay_url(url).host
    try:
        return _is_private(host)
    except ValueError:  # a name
        return host == "localhost" or host.endswith((".local", ".lan", ".internal"))
