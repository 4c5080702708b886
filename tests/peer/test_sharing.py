"""Files of our own are read for the channel of pictures that asks for them, and for no other."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest
import trio

from imgsync.core.codec.pictures import encode_data
from imgsync.core.protocol.pictures import CHUNK_HEADER, Want
from imgsync.core.transfer.budget import Budget
from imgsync.evaluator.sharing import Sharing
from imgsync.images.own import OpenPicture
from imgsync.peer.session import PeerSession
from imgsync.seams import CarriedEvent, DataDrained, DataReceived
from imgsync.wallclock import now_ms
from tests.kit.own_pictures import bmp_of, make_pictures, own_image


async def test_who_comes_back_while_a_disk_is_slow_gets_the_picture_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_reading, may_go_on = threading.Event(), threading.Event()
    read = OpenPicture.read

    def read_slowly(self: OpenPicture, offset: int, size: int) -> bytes:
        data = read(self, offset, size)
        is_reading.set()
        may_go_on.wait(10)
        return data

    monkeypatch.setattr(OpenPicture, "read", read_slowly)
    before, now = make_pictures(tmp_path, 2, 3000)
    sent: list[bytes] = []
    chunk_sent = trio.Event()

    def send_data(message: str | bytes) -> None:
        if isinstance(message, bytes):
            sent.append(message[CHUNK_HEADER:])
            chunk_sent.set()

    hear: Callable[[CarriedEvent], None]

    def carry(heard: Callable[[CarriedEvent], None]) -> None:
        nonlocal hear
        hear = heard

    peer: Any = SimpleNamespace(
        share=lambda: None,
        carry=carry,
        send_data=send_data,
        route=SimpleNamespace(session_id="s"),
    )
    sharing = Sharing(cast(PeerSession, peer), Budget())
    sharing.offer([before, now])

    def want(image_url: str) -> None:
        """As the first one of a new channel."""
        sharing.share()
        text = encode_data(Want(1, image_url, 0))
        hear(DataReceived(text, now_ms()))
        hear(DataDrained())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sharing.run)
        want(before.image_url)
        with trio.fail_after(10):
            await trio.to_thread.run_sync(is_reading.wait, 10)
            want(now.image_url)
            may_go_on.set()
            await chunk_sent.wait()
        nursery.cancel_scope.cancel()
    assert now.picture is not None
    assert now.picture.path.read_bytes().startswith(sent[0])


async def test_a_name_with_a_line_end_in_it_stays_one_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a\nb.bmp"
    path.write_bytes(bmp_of(3000))
    image = attrs.evolve(own_image(0, path), image_url="images/0a1b2c3d/a%0Ab.bmp")
    path.unlink()
    hear: Callable[[CarriedEvent], None]

    def carry(heard: Callable[[CarriedEvent], None]) -> None:
        nonlocal hear
        hear = heard

    peer: Any = SimpleNamespace(
        share=lambda: None,
        carry=carry,
        send_data=lambda _: None,
        route=SimpleNamespace(session_id="s"),
    )
    sharing = Sharing(cast(PeerSession, peer), Budget())
    sharing.offer([image])
    sharing.share()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sharing.run)
        text = encode_data(Want(1, image.image_url, 0))
        hear(DataReceived(text, now_ms()))
        with trio.fail_after(10):
            async for lost in sharing.not_sent.all():
                assert lost.reason == "unreadable"
                break
        nursery.cancel_scope.cancel()
    assert not [text for text in caplog.messages if "\n" in text]
