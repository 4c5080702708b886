"""How pictures of a folder come to clients: over the connection, by URLs, or as each needs it."""

import hashlib
import os
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import trio

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.naming import first_conflict
from imgsync.core.protocol.numbers import MAX_IMAGE
from imgsync.images.folder import list_images
from imgsync.images.own import PictureChanged
from imgsync.images.ref import ImageRef
from imgsync.images.sources import Via, open_images
from tests.images.test_host import ask, target_of
from tests.images.test_kinds import IMAGES, PNG
from tests.images.test_sources import GOOD, ODD_NAMES, complaint, fill, write

AUTO: Via = "auto"
PEER: Via = "peer"
URL: Via = "url"
WITHIN = 10.0


async def refusal(source: Path, **options: Any) -> str:
    with pytest.raises(InputError) as failure:
        async with open_images(source, **options):
            pass
    return str(failure.value)


async def is_refused(image: ImageRef) -> bool:
    parts = urlsplit(image.signed_url or "")
    with trio.fail_after(WITHIN):
        try:
            stream = await trio.open_tcp_stream(parts.hostname or "", parts.port or 0)
        except OSError:
            return True
        await stream.aclose()
        return False


def free_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# ── over the connection ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("via", ["auto", "peer"])
async def test_each_name_is_told_in_a_form_that_leads_back_to_it(tmp_path: Path, via: Via) -> None:
    async with open_images(fill(tmp_path, *ODD_NAMES), via=via) as images:
        assert sorted(image.name for image in images) == sorted(ODD_NAMES)
        for image in images:
            folder, token, name = image.image_url.split("/")
            assert (folder, unquote(name)) == ("images", image.name)
            assert len(bytes.fromhex(token)) == 4
            assert image.image_url.isascii()
            assert image.fetched_from is None


async def test_a_name_may_hold_a_line_break_and_what_urls_mean_something_by(tmp_path: Path) -> None:
    names = ["a\nb.png", "%41.png", "#.png", "? &=.png", "a..;.png", "a\\b.png", "\u202e.png"]
    async with open_images(fill(tmp_path, *names), via="peer") as images:
        found = [image.image_url.rpartition("/")[2] for image in images]
    assert sorted(map(unquote, found)) == sorted(names)
    assert not set("".join(found)) & set("#?& \n\\;=")


async def test_folders_with_the_same_names_are_not_taken_for_each_other(tmp_path: Path) -> None:
    one, other = (fill(tmp_path / name, "1.png") for name in ("a", "b"))
    async with (
        open_images(one) as first,
        open_images(other) as second,
        open_images(one) as again,
    ):
        all_of_them = [images[0] for images in (first, second, again)]
        assert len({image.image_url for image in all_of_them}) == 3
        assert first[0].image_url == first[0].image_url
        assert first_conflict((one.image_url, one.signed_url) for one in all_of_them) is None


async def test_each_picture_says_what_it_is(tmp_path: Path) -> None:
    for name, content in IMAGES.items():
        fill(tmp_path, name, content=content)
    async with open_images(tmp_path) as images:
        for image in images:
            content = IMAGES[image.name]
            assert image.picture is not None
            facts = image.picture.facts
            assert (facts.sha256, facts.bytes) == (
                hashlib.sha256(content).hexdigest(),
                len(content),
            )
            with image.picture.open() as picture:
                assert picture.read(0, len(content) + 1) == content


async def test_a_picture_that_is_replaced_behind_the_opening_is_not_sent(tmp_path: Path) -> None:
    async with open_images(fill(tmp_path, "1.png")) as images:
        fill(tmp_path, "other", content=PNG)
        (tmp_path / "other").replace(tmp_path / "1.png")
        picture = images[0].picture
        assert picture is not None
        with pytest.raises(PictureChanged), picture.open():
            raise AssertionError


async def test_a_link_to_a_picture_is_followed(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere.png")
    (fill(tmp_path / "series") / "1.png").symlink_to(tmp_path / "elsewhere.png")
    async with open_images(tmp_path / "series") as images:
        picture = images[0].picture
        assert picture is not None
        with picture.open() as opened:
            assert opened.read(0, 9999) == PNG
        fill(tmp_path, "another.png")
        (tmp_path / "series" / "1.png").unlink()
        (tmp_path / "series" / "1.png").symlink_to(tmp_path / "another.png")
        with pytest.raises(PictureChanged), picture.open():
            raise AssertionError


async def test_a_manifest_can_not_be_sent_over_the_connection(tmp_path: Path) -> None:
    manifest = write(tmp_path / "m.json", [GOOD])
    said = await refusal(manifest, via="peer")
    assert "m.json" in said
    assert "name a folder" in said
    for via in (AUTO, URL):
        async with open_images(manifest, via=via) as images:
            assert [(image.fetched_from, image.picture) for image in images] == [
                (GOOD["signedUrl"], None)
            ]


async def test_an_unknown_way_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    assert "choose auto, peer, url" in await refusal(fill(tmp_path, "1.png"), via="http")


# ── by URLs ──────────────────────────────────────────────────────────────────────────────────────


async def test_by_url_all_is_as_it_always_was(tmp_path: Path) -> None:
    async with open_images(fill(tmp_path, *ODD_NAMES), via="url") as images:
        for image in images:
            parts = urlsplit(image.image_url)
            assert parts.scheme == "http"
            assert unquote(parts.path) == f"/images/{image.name}"
            assert (parts.query, parts.fragment, image.picture) == ("", "", None)
            assert str(image.signed_url).startswith(image.image_url + "?")
        assert await ask(parts.port or 0, target_of(str(image.signed_url))) == (200, PNG)


async def test_nobody_listens_before_a_client_needs_a_url(tmp_path: Path) -> None:
    before = free_descriptors()
    async with open_images(fill(tmp_path, "1.png", "2.png")) as images:
        first = images[0]
        assert first.picture is not None
        assert await is_refused(first)
        first.picture.serve()
        # At once, and any number of times.
        assert not await is_refused(images[1])
        first.picture.serve()
        port = urlsplit(first.signed_url or "").port or 0
        assert await ask(port, target_of(str(first.signed_url))) == (200, PNG)
    assert await is_refused(first)
    # Whoever shows it later does no harm.
    first.picture.serve()
    assert await is_refused(first)
    assert free_descriptors() == before


async def test_a_port_that_nobody_needed_is_given_back(tmp_path: Path) -> None:
    before = free_descriptors()
    async with open_images(fill(tmp_path, "1.png")) as images:
        port = urlsplit(images[0].signed_url or "").port
    with pytest.raises(ZeroDivisionError):
        async with open_images(tmp_path):
            _ = 1 / 0
    with trio.move_on_after(0):
        async with open_images(tmp_path):
            await trio.sleep_forever()
    assert free_descriptors() == before
    listeners = await trio.open_tcp_listeners(port or 0, host="127.0.0.1")
    await listeners[0].aclose()


@pytest.mark.parametrize("address", ["192.0.2.1", "fe80::1%lo", "no host", "a" * 300])
async def test_an_address_that_can_not_be_listened_on_leaves_pictures_without_a_url(
    tmp_path: Path, address: str
) -> None:
    fill(tmp_path, "1.png")
    before = free_descriptors()
    async with open_images(tmp_path, address=address) as images:
        [image] = images
        assert image.signed_url is None
        assert image.picture is not None
        image.picture.serve()
    async with open_images(tmp_path, address=address, via="peer") as images:
        assert images[0].signed_url is None
    said = await refusal(tmp_path, address=address, via="url")
    assert "can't" in said
    assert free_descriptors() == before


async def test_no_port_is_taken_where_all_goes_over_the_connection(tmp_path: Path) -> None:
    before = free_descriptors()
    async with open_images(fill(tmp_path, "1.png"), via="peer") as images:
        assert images[0].signed_url is None
        assert free_descriptors() == before


# ── how large ────────────────────────────────────────────────────────────────────────────────────


async def test_a_picture_over_the_limit_is_named_with_both_sizes(tmp_path: Path) -> None:
    fill(tmp_path, "1.png")
    fill(tmp_path, "2.png", content=PNG + bytes(2 << 20))
    said = await refusal(tmp_path, limit=1 << 20)
    assert "2.png' is larger than the limit allows (1 MiB): it has 2" in said
    async with open_images(tmp_path, limit=len(PNG) + (2 << 20)) as images:
        assert len(images) == 2
    with (tmp_path / "3.png").open("wb") as stream:
        stream.write(PNG)
        stream.truncate(MAX_IMAGE + 1)
    assert "3.png' is larger than clients take (64 MiB)" in await refusal(tmp_path)


@pytest.mark.parametrize("limit", [0, -1, MAX_IMAGE + 1])
async def test_a_limit_that_makes_no_sense_is_refused(tmp_path: Path, limit: int) -> None:
    said = await refusal(fill(tmp_path, "1.png"), limit=limit)
    assert f"{limit} bytes" in said
    assert str(MAX_IMAGE) in said


async def test_an_empty_folder_says_what_to_put_there(tmp_path: Path) -> None:
    for via in (AUTO, PEER, URL):
        assert "there are no images in" in await refusal(tmp_path, via=via)


def test_a_folder_of_five_thousand_files_is_quick_and_keeps_no_bytes_of_them(
    tmp_path: Path,
) -> None:
    content = tmp_path / "0.txt"
    content.write_bytes(PNG + bytes(20_000))
    for number in range(1, 5000):
        (tmp_path / f"{number}.{'png' if number % 2 else 'txt'}").hardlink_to(content)

    async def measure() -> tuple[float, int]:
        before = trio.current_time()
        async with open_images(tmp_path) as images:
            took = trio.current_time() - before
            tracemalloc.start()
            async with open_images(tmp_path):
                kept, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert len(images) == 2500
        assert peak < 12_000_000
        return took, kept

    took, kept = trio.run(measure)
    assert kept < 6_000_000
    assert took < 20


def test_complaints_of_size_are_one_line(tmp_path: Path) -> None:
    fill(tmp_path, "a\nb.png", content=PNG * 3)
    assert "limit allows" in complaint(tmp_path, lambda folder: list_images(folder, None, 5))
