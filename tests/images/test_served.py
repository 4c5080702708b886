"""Large files over real sockets: what they cost, and what becomes of one that changes meanwhile."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import struct
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio

from imgsync.files import max_open_files
from imgsync.images.folder import list_images
from imgsync.images.host import ImageHost, limits_for, open_image_host
from imgsync.images.served import BLOCK, READERS, ServedFile, Version
from imgsync.net.limits import NetLimits
from tests.images.test_host import LOOPBACK, WITHIN, port_of, read_response, target_of
from tests.images.test_kinds import IMAGES, PNG
from tests.images.test_sources import fill
from tests.kit.descriptors import none_left, opened
from tests.kit.processes import wait_until
from tests.net.test_frames import RawPeer, open_raw

SIDE = 4096
SIZE = 54 + 3 * SIDE * SIDE
"""Bytes of a picture without compression, 50 MB."""

READ_AT_ONCE = 1 << 18


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A black picture that takes no room on the disk."""
    head = b"BM" + struct.pack("<IHHI", SIZE, 0, 0, 54)
    head += struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0)
    path = tmp_path / "large.bmp"
    path.write_bytes(head)
    os.truncate(path, SIZE)
    return path


def hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@asynccontextmanager
async def open_slow(port: int) -> AsyncIterator[RawPeer]:
    """One that takes little before it is asked to."""
    socket = trio.socket.socket()
    socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 16 * 1024)
    await socket.connect((LOOPBACK, port))
    async with trio.SocketStream(socket) as stream:
        yield RawPeer(stream)


async def ask(peer: RawPeer, image_host: ImageHost, name: str, *headers: str) -> tuple[int, int]:
    """Status and announced length of what is asked for."""
    target = target_of(image_host.signed_url_of(name))
    lines = [f"GET {target} HTTP/1.1", "host: h", *headers, "", ""]
    await peer.send("\r\n".join(lines).encode())
    head = await peer.read_head()
    length = re.search(rb"\r\ncontent-length: ([0-9]+)\r\n", head, re.IGNORECASE)
    assert length is not None
    return int(head.split()[1]), int(length[1])


async def hash_body(peer: RawPeer, size: int) -> str:
    """Of so many bytes, or of those that come until the other side ends."""
    hashed = hashlib.sha256()
    while size > 0 and (part := await peer.read_exactly(min(size, READ_AT_ONCE))):
        hashed.update(part)
        size -= len(part)
    return hashed.hexdigest()


async def test_forty_slow_readers_of_fifty_megabytes_cost_a_block_each(large: Path) -> None:
    with trio.fail_after(WITHIN):
        async with open_image_host(LOOPBACK, {"a": large}) as image_host, AsyncExitStack() as stack:
            tracemalloc.start()
            try:
                peers = [
                    await stack.enter_async_context(open_slow(port_of(image_host)))
                    for _ in range(40)
                ]
                for peer in peers:
                    assert await ask(peer, image_host, "a") == (200, SIZE)
                assert await hash_body(peers[0], SIZE) == hash_of(large)
                await wait_until(lambda: opened(large) == 39, "a file that is closed")
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert peak < 40 * 2 * BLOCK + 4 * READ_AT_ONCE


async def test_the_rest_of_a_large_file_is_sent_from_its_offset_on(large: Path) -> None:
    offset = SIZE - 1_000_000
    with large.open("r+b") as stream:
        stream.seek(offset - 1)
        stream.write(bytes(range(256)))
    rest = await trio.Path(large).read_bytes()
    rest = rest[offset:]
    async with (
        open_image_host(LOOPBACK, {"a": large}) as image_host,
        open_slow(port_of(image_host)) as peer,
    ):
        with trio.fail_after(WITHIN):
            found = await ask(peer, image_host, "a", f"range: bytes={offset}-")
            assert found == (206, len(rest))
            assert await peer.read_exactly(len(rest)) == rest
            # The connection is good for another one.
            assert await ask(peer, image_host, "a", f"range: bytes={SIZE - 1}-") == (206, 1)


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def cut(path: Path) -> None:
    os.truncate(path, SIZE // 2)


def write_into(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(SIZE - 1)
        stream.write(b"\x01")


@pytest.mark.parametrize("change", [grow, cut, write_into])
async def test_a_file_that_changes_while_it_is_sent_is_not_sent_to_its_end(
    large: Path, change: object
) -> None:
    assert callable(change)
    async with open_image_host(LOOPBACK, {"a": large}) as image_host:
        async with open_slow(port_of(image_host)) as peer:
            with trio.fail_after(WITHIN):
                assert await ask(peer, image_host, "a") == (200, SIZE)
                change(large)
                assert len(await peer.read_rest()) < SIZE
            await wait_until(lambda: opened(large) == 0, "a file that is closed")
        async with open_slow(port_of(image_host)) as peer:
            with trio.fail_after(WITHIN):
                size = (await trio.Path(large).stat()).st_size
                assert await ask(peer, image_host, "a") == (200, size)


async def test_a_file_that_is_replaced_while_it_is_sent_is_sent_as_it_was(large: Path) -> None:
    before = hash_of(large)
    async with (
        open_image_host(LOOPBACK, {"a": large}) as image_host,
        open_slow(port_of(image_host)) as peer,
    ):
        with trio.fail_after(WITHIN):
            assert await ask(peer, image_host, "a") == (200, SIZE)
            (large.parent / "new").write_bytes(PNG)
            os.replace(large.parent / "new", large)
            assert await hash_body(peer, SIZE) == before
            assert await ask(peer, image_host, "a") == (200, len(PNG))


async def test_who_goes_in_the_middle_leaves_no_file_open(large: Path) -> None:
    async with open_image_host(LOOPBACK, {"a": large}) as image_host:
        for method in (b"GET", b"HEAD"):
            async with open_raw(port_of(image_host)) as peer:
                target = target_of(image_host.signed_url_of("a")).encode()
                await peer.send(method + b" " + target + b" HTTP/1.1\r\nhost: h\r\n\r\n")
                assert await peer.read_status() == 200
        await wait_until(lambda: opened(large) == 0, "a file that is closed")


async def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    fill(tmp_path, "b.png")
    files = {name: tmp_path / name for name in ("a.png", "b.png")}
    async with open_image_host(LOOPBACK, files) as image_host:
        with trio.fail_after(WITHIN):
            for _ in range(READERS + 1):
                async with open_raw(port_of(image_host)) as peer:
                    status, _ = await ask(peer, image_host, "a.png")
                    assert status == 404
            async with open_raw(port_of(image_host)) as peer:
                assert await ask(peer, image_host, "b.png") == (200, len(PNG))


async def test_what_is_known_of_a_folder_is_what_a_look_into_its_files_tells(
    tmp_path: Path,
) -> None:
    for name, content in IMAGES.items():
        fill(tmp_path, name, content=content)
    readers = trio.CapacityLimiter(1)
    for picture in list_images(tmp_path).pictures:
        file = await ServedFile(picture.path, None, readers).open()
        file.close()
        assert file.version == Version.of(picture)


async def test_many_who_ask_at_once_have_a_file_read_once(large: Path) -> None:
    served = ServedFile(large, None, trio.CapacityLimiter(READERS))
    versions = []

    async def look() -> None:
        file = await served.open()
        file.close()
        versions.append(file.version)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(look)
    assert len({id(version) for version in versions}) == 1


async def test_a_file_that_can_not_be_read_is_told_once_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def complaints() -> int:
        return sum(record.levelno == logging.WARNING for record in caplog.records)

    path = tmp_path / "a.png"
    async with (
        open_image_host(LOOPBACK, {"a": path}) as image_host,
        open_raw(port_of(image_host)) as peer,
    ):
        with trio.fail_after(WITHIN):
            for expected in (1, 2):
                for _ in range(3):
                    target = target_of(image_host.signed_url_of("a"))
                    await peer.send(f"GET {target} HTTP/1.1\r\nhost: h\r\n\r\n".encode())
                    assert (await read_response(peer))[0] == 404
                assert complaints() == expected
                fill(tmp_path, "a.png")
                assert await ask(peer, image_host, "a") == (200, len(PNG))
                await peer.read_exactly(len(PNG))
                path.unlink()


async def test_without_a_descriptor_for_a_file_it_is_to_be_asked_for_later(large: Path) -> None:
    async with (
        open_image_host(LOOPBACK, {"a": large}) as image_host,
        open_slow(port_of(image_host)) as peer,
    ):
        with trio.fail_after(WITHIN):
            await ask(peer, image_host, "a", f"range: bytes={SIZE - 1}-")
            await peer.read_exactly(1)
            await wait_until(lambda: opened(large) == 0, "a file that is closed")
            with none_left():
                status, size = await ask(peer, image_host, "a")
            assert status == 503
            await peer.read_exactly(size)
            assert await ask(peer, image_host, "a") == (200, SIZE)


async def test_idle_connections_give_way_and_those_that_are_answered_do_not(large: Path) -> None:
    limits = NetLimits(max_streams=3, idle_gives_way=True)
    async with open_image_host(LOOPBACK, {"a": large}, limits=limits) as image_host:
        port = port_of(image_host)
        with trio.fail_after(WITHIN):
            async with open_raw(port) as idle, open_slow(port) as slow, open_slow(port) as other:
                for peer in (slow, other):
                    assert await ask(peer, image_host, "a") == (200, SIZE)
                async with open_slow(port) as third:
                    assert await ask(third, image_host, "a") == (200, SIZE)
                    assert await idle.read_rest() == b""
                    async with open_slow(port) as late:
                        assert await ask(late, image_host, "a") == (503, 0)


@pytest.mark.parametrize(("files", "streams"), [(16, 4), (256, 64), (1024, 384), (1 << 20, 512)])
def test_connections_have_a_part_of_the_files_that_may_be_open(files: int, streams: int) -> None:
    limits = limits_for(files)
    assert (limits.max_streams, limits.max_streams_per_address) == (streams, streams // 2)
    assert max_open_files() > 0
