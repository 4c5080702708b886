"""What the presenter sends where there is little room: on a channel that is slow, or for a client
that takes small messages only."""

import pytest

from imgsync.core.channel.outputs import Acked, TooLarge, Transmit
from imgsync.core.channel.preload import split_preload
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image, Preload, Ready, UpcomingImage
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.numbers import (
    DRAINED,
    MAX_CHANNEL_MESSAGE,
    MAX_PRELOAD,
    MAX_UNSENT,
)
from tests.kit.channels import READY, hear, show, texts

QUIET = encode_channel(Ready(("ping",)))


def soon(count: int, size: int = 300) -> list[ImageSource]:
    return [ImageSource(f"{number}.png", "s" * size) for number in range(count)]


def named(sent: list[str]) -> list[str]:
    """The images that are announced, in order."""
    messages = [decode_channel(text) for text in sent]
    preloads = [message for message in messages if isinstance(message, Preload)]
    return [image.image_url for preload in preloads for image in preload.images]


def images(sent: list[str]) -> list[Image]:
    return [message for text in sent if isinstance(message := decode_channel(text), Image)]


# ── once on a channel ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("again", [[READY] * 50, [QUIET, READY] * 50, [READY, QUIET, READY]])
def test_a_client_is_told_once_on_a_channel_however_often_it_asks(again: list[str]) -> None:
    presenter = Presenter()
    presenter.preload(soon(3))
    presenter.opened()
    sent = [text for said in again for text in texts(hear(presenter, said))]
    assert named(sent) == ["0.png", "1.png", "2.png"]
    assert named(texts(presenter.preload(soon(2)))) == ["0.png", "1.png"]
    presenter.closed()
    presenter.opened()
    assert named(texts(hear(presenter, READY))) == ["0.png", "1.png"]


def test_who_is_known_to_speak_preload_is_not_told_again_at_its_ready() -> None:
    presenter = Presenter()
    presenter.preload(soon(3))
    assert len(named(texts(presenter.opened(("preload",))))) == 3
    assert named(texts(hear(presenter, READY))) == []


# ── while much waits to be sent ──────────────────────────────────────────────────────────────────


def flood(presenter: Presenter, count: int) -> tuple[list[str], int]:
    """A client that asks and asks, and takes nothing; what is sent, and how much waits then."""
    sent: list[str] = []
    waiting = 0
    for _ in range(count):
        new = texts(hear(presenter, READY, 0, waiting))
        sent += new
        waiting += sum(map(len, new))
    return sent, waiting


@pytest.mark.parametrize("padding", [0, 5000, 60_000])
def test_who_asks_and_takes_nothing_makes_little_wait(padding: int) -> None:
    presenter = Presenter()
    presenter.opened()
    presenter.show(0, ImageSource("0.png", "s" * padding), 5)
    presenter.preload(soon(5000))
    _, waiting = flood(presenter, 15_000)
    assert waiting <= MAX_UNSENT + MAX_CHANNEL_MESSAGE
    # All of that is one question, and what is shown meanwhile goes out at once.
    image, outputs = presenter.show(1, ImageSource("now.png", "s"), 6)
    assert images(texts(outputs)) == [image]
    after = texts(presenter.drained(DRAINED))
    assert images(after) == [image]
    assert images(texts(presenter.drained(0))) == []


def test_what_was_kept_back_goes_out_bit_by_bit_in_its_order() -> None:
    presenter = Presenter()
    presenter.opened(("preload",))
    sent = texts(presenter.preload(soon(1000)))
    assert MAX_UNSENT < sum(map(len, sent)) <= MAX_UNSENT + MAX_PRELOAD
    while more := texts(presenter.drained(DRAINED)):
        assert sum(map(len, more)) <= MAX_UNSENT + MAX_PRELOAD
        sent += more
    assert named(sent) == [f"{number}.png" for number in range(1000)]


def test_what_is_announced_anew_takes_the_place_of_what_was_kept_back() -> None:
    presenter = Presenter()
    presenter.opened(("preload",))
    presenter.preload(soon(1000))
    assert texts(presenter.preload(soon(2), MAX_UNSENT + 1)) == []
    assert named(texts(presenter.drained(0))) == ["0.png", "1.png"]


def test_nothing_is_owed_on_the_next_channel() -> None:
    presenter = Presenter()
    show(presenter, 0, 5)
    presenter.opened()
    assert texts(hear(presenter, READY, 0, MAX_UNSENT + 1)) == []
    presenter.closed()
    assert presenter.drained() == []
    assert len(texts(presenter.opened())) == 1
    assert presenter.drained() == []


# ── a client that takes small messages only ──────────────────────────────────────────────────────


def test_an_image_that_the_client_does_not_take_is_refused_and_what_is_shown_stays() -> None:
    presenter = Presenter()
    presenter.opened((), 1000)
    image = show(presenter, 0, 5)
    with pytest.raises(MessageTooLarge, match=r"bytes does not fit into .* 1000; shorten"):
        presenter.show(1, ImageSource("1.png", "s" * 1000), 6)
    assert images(texts(hear(presenter, READY))) == [image]
    presenter.closed()
    presenter.opened()
    presenter.show(1, ImageSource("1.png", "s" * 1000), 6)  # another client, which takes more


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_limit_is_met_to_the_byte(more: int) -> None:
    size = len(encode_channel(Image(0, "u", "", 5)))
    presenter = Presenter()
    presenter.opened((), size + 20)
    if more > 0:
        with pytest.raises(MessageTooLarge):
            presenter.show(0, ImageSource("u", "s" * (20 + more)), 5)
    else:
        _, outputs = presenter.show(0, ImageSource("u", "s" * (20 + more)), 5)
        assert len(texts(outputs)[0]) == size + 20 + more


def test_an_image_that_waits_for_a_client_that_does_not_take_it_is_refused_then() -> None:
    presenter = Presenter()
    image, _ = presenter.show(0, ImageSource("0.png", "s" * 1000), 5)
    [refused] = presenter.opened((), 1000)
    assert isinstance(refused, TooLarge)
    assert refused.image == image
    assert "1000" in refused.why
    assert texts(hear(presenter, READY)) == []
    assert not [one for one in presenter.receive(Ack(5, 6)) if isinstance(one, Acked)]


def test_one_that_was_acked_before_is_not_sent_and_nothing_is_said() -> None:
    presenter = Presenter()
    presenter.opened()
    presenter.show(0, ImageSource("0.png", "s" * 1000), 5)
    presenter.receive(Ack(5, 6))
    presenter.closed()
    assert presenter.opened((), 1000) == []


def test_a_preload_is_split_by_what_the_client_takes_and_what_fits_into_none_is_refused() -> None:
    images = [UpcomingImage(one.image_url, one.signed_url) for one in soon(100)]
    for limit in (400, 1000, MAX_PRELOAD - 1, MAX_PRELOAD, MAX_CHANNEL_MESSAGE):
        parts = split_preload(images, limit)
        assert [image for part in parts for image in part.images] == images
        assert max(len(encode_channel(part)) for part in parts) <= min(limit, MAX_PRELOAD - 1)
    presenter = Presenter()
    presenter.opened(("preload",), 1000)
    with pytest.raises(MessageTooLarge):
        presenter.preload(soon(1, 1000))


def test_what_was_announced_before_and_fits_into_no_message_is_left_out() -> None:
    presenter = Presenter()
    presenter.preload([*soon(2), ImageSource("large.png", "s" * 1000), ImageSource("x", "s")])
    outputs = presenter.opened(("preload",), 1000)
    assert all(isinstance(output, Transmit) for output in outputs)
    assert named(texts(outputs)) == ["0.png", "1.png", "x"]
