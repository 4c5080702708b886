"""Pictures without a URL, and clients that take none over the connection: who is told what."""

from pathlib import Path

import attrs
import pytest
from trio.testing import MockClock

from imgsync import ClientSession, ImageRef, NotSpoken
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.testing import MemoryNetwork
from tests.kit.own_pictures import make_pictures
from tests.peer.test_sessions import image
from tests.peer.test_stages import open_pair, show_all


def bare(folder: Path) -> ImageRef:
    """A picture that comes over the connection alone."""
    return attrs.evolve(make_pictures(folder, 1, 5000)[0], signed_url=None)


async def refused(session: EvaluatorSession, picture: ImageRef) -> str:
    with pytest.raises(NotSpoken) as error:
        await session.show(picture)
    assert error.value.feature == "pictures"
    return str(error.value)


async def test_a_picture_that_can_t_be_sent_is_an_error_and_the_session_goes_on(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    picture = bare(tmp_path)
    async with open_pair(show_all) as session:
        await (await session.show(image(0))).shown()
        why = await refused(session, picture)
        assert "URL" in why
        session.preload([picture, image(2)])
        assert await (await session.show(image(1))).shown() == 201.5


async def test_it_is_an_error_too_where_it_waited_for_the_repair(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    picture, network = bare(tmp_path), MemoryNetwork()
    came: list[int] = []

    async def follow(session: ClientSession) -> None:
        note = came.append  # one by one, as they come
        async for received in session.images():
            note(received.index)

    async with open_pair(follow, network) as session:
        await session.show(image(1))
        network.links[-1].break_off()
        await refused(session, picture)
        await session.show(image(2))
    assert came == [1, 2]
