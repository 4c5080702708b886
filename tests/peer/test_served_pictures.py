"""A folder's host listens from the moment on in which a client needs a URL, and not before."""

from pathlib import Path

import pytest
import trio

from imgsync import NotSpoken, open_evaluator, open_images
from imgsync.testing import MemoryNetwork
from tests.images.test_host import ask, target_of
from tests.images.test_kinds import PNG
from tests.images.test_sources import fill
from tests.images.test_ways import is_refused
from tests.peer.test_own_pictures import Client, open_pair, show
from tests.peer.test_sessions import URL, FollowingClient

DEADLINE = 30.0


async def test_a_client_that_takes_pictures_over_the_connection_has_no_host_started(
    tmp_path: Path,
) -> None:
    async with open_images(fill(tmp_path, "1.png", "2.png")) as images:
        async with open_pair() as (session, client):
            session.preload(images)
            for image in images:
                await show(session, image)
        assert set(client.got) == {image.image_url for image in images}
        assert client.signed_urls == [None, None]
        assert await is_refused(images[0])


@pytest.mark.parametrize("is_told_ahead", [False, True])
async def test_a_client_that_takes_urls_alone_finds_them_served(
    tmp_path: Path, is_told_ahead: bool
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    with trio.fail_after(DEADLINE):
        async with (
            open_images(fill(tmp_path, "1.png", "2.png")) as images,
            trio.open_nursery() as nursery,
        ):
            await nursery.start(follower.run, network)
            async with (
                open_evaluator(URL, user_id="e", network=network) as evaluator,
                evaluator.open_session("c") as session,
            ):
                if is_told_ahead:
                    session.preload(images)
                    async for upcoming in follower.sessions[0].preloads():
                        url = upcoming.signed_url
                        break
                else:
                    await session.show(images[0])
                    url = follower.seen[0].signed_url
                assert not await is_refused(images[0])
                port = int((url or "").split("/")[2].partition(":")[2])
                assert await ask(port, target_of(url or "")) == (200, PNG)
            nursery.cancel_scope.cancel()


async def test_without_a_url_a_client_that_takes_urls_alone_can_not_be_shown_it(
    tmp_path: Path,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    with trio.fail_after(DEADLINE):
        async with (
            open_images(fill(tmp_path, "1.png"), via="peer") as images,
            trio.open_nursery() as nursery,
        ):
            await nursery.start(follower.run, network)
            async with (
                open_evaluator(URL, user_id="e", network=network) as evaluator,
                evaluator.open_session("c") as session,
            ):
                with pytest.raises(NotSpoken, match="pictures"):
                    await session.show(images[0])
            nursery.cancel_scope.cancel()
    assert follower.seen == []


async def test_a_client_of_each_sort_may_be_shown_one_folder(tmp_path: Path) -> None:
    network, takes_urls, takes_all = MemoryNetwork(), FollowingClient(), Client()
    with trio.fail_after(DEADLINE):
        async with (
            open_images(fill(tmp_path, "1.png")) as images,
            trio.open_nursery() as nursery,
        ):
            await nursery.start(takes_all.run, network, "a")
            await nursery.start(takes_urls.run, network, "b")
            async with (
                open_evaluator(URL, user_id="e", network=network) as evaluator,
                evaluator.open_session("a") as one,
                evaluator.open_session("b") as other,
            ):
                await show(one, images[0])
                assert await is_refused(images[0])
                await other.show(images[0])
                assert not await is_refused(images[0])
            nursery.cancel_scope.cancel()
    assert takes_all.signed_urls == [None]
    assert takes_urls.seen[0].image_url == images[0].image_url
    assert (takes_urls.seen[0].signed_url or "").startswith("http://127.0.0.1:")
