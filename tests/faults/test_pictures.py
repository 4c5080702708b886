"""A folder's pictures over real connections, between real commands: whole, and after a kill."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tests.faults.stage import HERE, end_session, open_session, open_stage, show_next
from tests.kit.own_pictures import make_pictures
from tests.kit.side_by_side import side_by_side

LARGE_S = 60.0
"""Seconds for a picture of 10 MB, on a machine that has much else to do."""


def hashes_in(folder: Path) -> set[str]:
    return {sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@side_by_side(3)
async def test_a_folder_comes_to_the_client_byte_for_byte_without_a_host(folder: Path) -> None:
    source, kept = folder / "source", folder / "kept"
    source.mkdir()
    make_pictures(source, 3, 1_000_000)
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        client = await stage.start_client(("--save", str(kept)))
        await client.wait("registered")
        evaluator = await stage.start_evaluator(source=source, every=None)
        await evaluator.wait("connected")
        for index in range(3):
            await show_next(evaluator)
            await client.wait("fetched", lambda line, at=index: line["imageIndex"] == at)
        assert await end_session(evaluator) == 0
        await client.wait("ended")
    assert hashes_in(kept) == hashes_in(source)
    urls = [line["imageUrl"] for line in client.all("image")]
    assert all(url.startswith("images/") for url in urls)


@side_by_side(12)
async def test_a_client_that_is_killed_in_the_middle_of_a_picture_gets_it_in_its_next_process(
    folder: Path,
) -> None:
    source, kept = folder / "source", folder / "kept"
    source.mkdir()
    make_pictures(source, 1, 10_000_000)
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage, source)
        await client.kill()
        assert client.all("fetched") == []
        heir = await stage.start_client(("--save", str(kept)))
        await evaluator.wait_state("resumed", since=heir.started)
        await heir.wait("fetched", seconds=LARGE_S)
        assert await end_session(evaluator) == 0
        assert (await heir.wait("ended"))["reason"] == "ended"
    assert hashes_in(kept) == hashes_in(source)
