"""What will be shown soon: how it is split, and who is told of it when."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Announced, Counted
from imgsync.core.channel.preload import split_preload
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Image, Preload, Preloaded, Ready, UpcomingImage
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.numbers import FEATURES, MAX_CHANNEL_MESSAGE, MAX_PRELOAD
from tests.kit.channels import LAW, READY, hear, show, texts


def upcoming(*indices: int, padding: int = 0) -> list[UpcomingImage]:
    return [UpcomingImage(f"{n}.png", f"{n}.png?{'s' * padding}") for n in indices]


def told(outputs: list[str]) -> list[UpcomingImage]:
    """What the client is told, by messages some of which may be images."""
    messages = [decode_channel(text) for text in outputs]
    return [one for message in messages if isinstance(message, Preload) for one in message.images]


def sources(*numbers: int, padding: int = 0) -> list[ImageSource]:
    images = upcoming(*numbers, padding=padding)
    return [ImageSource(image.image_url, image.signed_url) for image in images]


IMAGES = st.lists(
    st.builds(
        UpcomingImage,
        image_url=st.text("aé\U0001f600 ", max_size=40),
        signed_url=st.integers(0, 9000).map(lambda size: "s" * size) | st.text("é", max_size=3000),
    ),
    max_size=30,
)


@given(IMAGES)
@LAW
def test_the_parts_together_are_the_whole_and_each_is_small(images: list[UpcomingImage]) -> None:
    parts = split_preload(images)
    assert [image for part in parts for image in part.images] == images
    for part in parts:
        assert part.images
        assert len(encode_channel(part)) < MAX_PRELOAD or len(part.images) == 1
    for part, following in pairwise(parts):
        # Nothing is split that would have been small enough.
        together = Preload((*part.images, following.images[0]))
        assert len(encode_channel(together)) >= MAX_PRELOAD


@pytest.mark.parametrize("over", [0, 1])
def test_a_message_is_filled_to_the_last_byte_below_its_limit(over: int) -> None:
    first = UpcomingImage("1.png", "s")
    room = MAX_PRELOAD - 1 - len(encode_channel(Preload((first, UpcomingImage("2.png", "")))))
    images = [first, UpcomingImage("2.png", "s" * (room + over))]
    parts = split_preload(images)
    assert len(parts) == 1 + over
    assert max(len(encode_channel(part)) for part in parts) < MAX_PRELOAD


def test_an_image_that_fits_into_no_message_is_refused_and_what_was_announced_stays() -> None:
    presenter = Presenter()
    presenter.opened()
    presenter.preload(sources(1))
    with pytest.raises(MessageTooLarge):
        presenter.preload(sources(2, padding=MAX_CHANNEL_MESSAGE))
    assert told(texts(hear(presenter, READY))) == upcoming(1)


def test_only_a_client_that_names_preload_is_told_and_an_image_goes_first() -> None:
    presenter = Presenter()
    presenter.opened()
    assert presenter.preload(sources(1, 2)) == []
    without = hear(presenter, encode_channel(Ready(("ping", "stage"))))
    assert without == []
    assert presenter.preload(sources(1, 2)) == []
    image = show(presenter, 0, 5)
    first, *others = texts(hear(presenter, READY))
    assert decode_channel(first) == image
    assert told(others) == upcoming(1, 2)
    # From now on it is told at once.
    assert told(texts(presenter.preload(sources(3)))) == upcoming(3)


def test_a_new_channel_is_told_again_of_what_was_not_shown_yet() -> None:
    presenter = Presenter()
    presenter.opened()
    hear(presenter, READY)
    presenter.preload(sources(1, 2, 3))
    show(presenter, 2, 5)
    presenter.closed()
    assert presenter.preload(sources(1, 2, 3, 4)) == []
    show(presenter, 1, 6)
    assert told(texts(presenter.opened())) == []
    assert told(texts(hear(presenter, READY))) == upcoming(2, 3, 4)


def test_a_client_that_is_known_to_speak_preload_is_told_when_the_channel_opens() -> None:
    presenter = Presenter()
    presenter.preload(sources(1, 2))
    image = show(presenter, 0, 5)
    first, *others = texts(presenter.opened(("preload",)))
    assert decode_channel(first) == image
    assert told(others) == upcoming(1, 2)
    assert told(texts(presenter.preload(sources(3)))) == upcoming(3)


def test_what_was_known_of_a_client_counts_until_its_ready_and_for_its_channel_alone() -> None:
    presenter = Presenter()
    presenter.opened(("preload",))
    hear(presenter, encode_channel(Ready(("ping",))))
    assert presenter.preload(sources(1)) == []
    presenter.closed()
    assert told(texts(presenter.opened())) == []
    presenter.closed()
    assert told(texts(presenter.opened(("ping", "preload")))) == upcoming(1)


def test_what_is_announced_takes_the_place_of_what_was() -> None:
    presenter = Presenter()
    presenter.opened()
    presenter.preload(sources(1, 2))
    presenter.preload([])
    assert told(texts(hear(presenter, READY))) == []


def test_a_client_hands_on_what_is_announced_and_names_what_it_speaks() -> None:
    follower = Follower()
    message = Preload(tuple(upcoming(1, 2)))
    assert hear(follower, encode_channel(message), 9) == [Announced(message.images)]
    [ready] = texts(follower.opened())
    assert decode_channel(ready) == Ready(FEATURES)
    assert set(FEATURES) == {"ping", "stage", "preload", "preloaded"}


def test_a_preload_is_no_image_to_show() -> None:
    presenter = Presenter()
    presenter.opened()
    hear(presenter, READY)
    outputs = presenter.preload(sources(1))
    assert not [text for text in texts(outputs) if isinstance(decode_channel(text), Image)]


def test_how_many_are_there_is_said_again_on_each_channel_and_handed_on() -> None:
    follower, presenter = Follower(), Presenter()
    follower.preloaded(Preloaded(40, 2, 0))
    said = follower.preloaded(Preloaded(40, 8, 1))
    assert texts(follower.opened())[1:] == [said.text]
    assert hear(presenter, said.text) == [Counted(Preloaded(40, 8, 1))]
