"""Which pictures go over the connection, and which by their URLs."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest

from imgsync.core.channel.outputs import (
    Drop,
    Identified,
    Share,
    Superseded,
    TooLarge,
    Transmit,
    Unsendable,
)
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Identity,
    Image,
    Preload,
    Ready,
    UpcomingImage,
)
from imgsync.core.protocol.errors import InputError, MessageTooLarge
from imgsync.core.protocol.numbers import MAX_CHANNEL_MESSAGE, MAX_SETTLED
from tests.kit.channels import hear

URL = "http://h/1?sig=1"
OWN = ImageSource("images/0a/1.png", URL, is_own=True)
BARE = ImageSource("images/0a/2.png", None, is_own=True)
LISTED = ImageSource("http://h/3", "http://h/3?sig=1")
TAKES, TAKES_NOT = ("preload", "pictures"), ("preload",)


def ready(*features: str) -> str:
    return encode_channel(Ready(features))


def sent(outputs: Sequence[object]) -> list[object]:
    """What goes out: of images and announcements their signed URLs, and what is asked for."""
    told: list[object] = []
    for output in outputs:
        match output:
            case Transmit(text):
                message = decode_channel(text)
                if isinstance(message, Preload):
                    told.append([one.signed_url for one in message.images])
                elif isinstance(message, Image):
                    told.append(message.signed_url)
            case _:
                told.append(type(output))
    return told


def test_who_is_known_to_take_pictures_is_sent_an_own_one_without_its_url() -> None:
    presenter = Presenter()
    presenter.opened(TAKES)
    assert sent(presenter.show(1, OWN, 5)[1]) == [Share, None]
    assert sent(presenter.show(1, OWN, 6)[1]) == [None]
    assert sent(presenter.show(3, LISTED, 7)[1]) == [LISTED.signed_url]
    assert sent(hear(presenter, ready(*TAKES))) == [LISTED.signed_url]


def test_the_channel_of_pictures_is_asked_for_once_on_each_connection_that_needs_it() -> None:
    presenter = Presenter()
    presenter.opened(TAKES)
    presenter.show(1, OWN, 5)
    for _ in range(2):
        presenter.closed()
        assert sent(presenter.opened(TAKES)) == [Share, None]
        assert sent(hear(presenter, ready(*TAKES))) == [None]
    presenter.closed()
    assert sent(presenter.opened(TAKES_NOT)) == [URL]


def test_what_was_sent_by_its_url_before_anything_was_known_keeps_it() -> None:
    presenter = Presenter()
    presenter.opened()
    image, outputs = presenter.show(1, OWN, 5)
    assert sent(outputs) == [URL]
    assert sent(hear(presenter, ready("pictures"))) == [URL]
    presenter.closed()
    [text] = [one.text for one in presenter.opened(TAKES) if isinstance(one, Transmit)]
    assert decode_channel(text) == Image(1, OWN.image_url, URL, image.sent_at)
    assert sent(presenter.show(1, OWN, 6)[1]) == [Share, None]


def test_what_went_out_without_a_url_gets_it_for_a_client_that_needs_it_and_keeps_it() -> None:
    presenter = Presenter()
    presenter.opened(TAKES)
    image, _ = presenter.show(1, OWN, 5)
    assert sent(hear(presenter, ready("stage"))) == [URL]  # another program, by its own word
    assert sent(hear(presenter, ready(*TAKES))) == [URL]
    presenter.closed()
    [copy] = presenter.opened(TAKES)
    assert isinstance(copy, Transmit)
    assert decode_channel(copy.text) == Image(1, OWN.image_url, URL, image.sent_at)
    assert copy.copy == 4


def test_what_was_shown_before_the_channel_is_as_the_channel_needs_it() -> None:
    for features, expected in ((TAKES, [Share, None]), (TAKES_NOT, [URL]), ((), [URL])):
        presenter = Presenter()
        assert sent(presenter.show(1, OWN, 5)[1]) == []
        assert sent(presenter.opened(features)) == expected


def test_the_newest_url_is_what_a_shared_picture_gets_when_it_needs_one() -> None:
    presenter = Presenter()
    presenter.opened(TAKES)
    presenter.show(1, OWN, 5)
    presenter.renew([ImageSource(OWN.image_url, "http://h/1?sig=2", is_own=True)])
    presenter.renew([ImageSource(OWN.image_url, None, is_own=True)])
    assert sent(hear(presenter, ready(*TAKES))) == [None]
    assert sent(hear(presenter, ready())) == ["http://h/1?sig=2"]


@pytest.mark.parametrize("features", [(), TAKES_NOT])
def test_a_picture_without_a_url_waits_for_the_client_s_own_word(features: tuple[str, ...]) -> None:
    presenter = Presenter()
    image, outputs = presenter.show(2, BARE, 5)
    assert outputs == presenter.opened(features) == presenter.drained() == []
    presenter.closed()
    presenter.opened(features)
    assert sent(hear(presenter, ready(*TAKES))) == [Share, None]
    assert sent(presenter.show(2, BARE, 6)[1]) == [None]
    presenter.closed()
    assert presenter.opened(features) == []
    [refused] = hear(presenter, ready(*TAKES_NOT))
    assert isinstance(refused, Unsendable)
    assert refused.image.sent_at == 6
    assert hear(presenter, ready(*TAKES)) == []
    assert image.sent_at == 5


def test_one_that_still_waits_when_another_is_to_be_shown_is_superseded() -> None:
    presenter = Presenter()
    presenter.opened()
    first, outputs = presenter.show(2, BARE, 5)
    assert outputs == []
    _, outputs = presenter.show(2, BARE, 6)
    assert outputs == [Superseded(first)]
    assert sent(hear(presenter, ready(*TAKES))) == [Share, None]
    assert sent(presenter.show(1, OWN, 7)[1]) == [None]


def test_a_picture_that_can_t_be_sent_leaves_the_current_one_what_it_was() -> None:
    presenter = Presenter()
    presenter.opened()
    hear(presenter, ready("preload"))
    presenter.show(1, OWN, 5)
    presenter.preload([BARE])
    image, outputs = presenter.show(2, BARE, 6)
    assert outputs == [Unsendable(image, "pictures")]
    assert sent(hear(presenter, ready("preload"))) == [URL]
    # Its time is taken, and it is acked by nobody.
    assert presenter.show(1, OWN, 6)[0].sent_at > 6
    assert isinstance(hear(presenter, encode_channel(Ack(6, 7)))[0], Drop)


def test_what_was_acked_goes_without_a_word_where_the_next_client_can_t_be_sent_it() -> None:
    presenter = Presenter()
    presenter.opened(TAKES)
    image, _ = presenter.show(2, BARE, 5)
    hear(presenter, encode_channel(Ack(image.sent_at, 6)))
    presenter.closed()
    presenter.opened()
    assert hear(presenter, ready()) == []
    assert presenter.closed() == []


def test_an_unsendable_one_is_forgotten_in_its_turn() -> None:
    presenter = Presenter()
    presenter.opened()
    hear(presenter, ready())
    gone = [sent(presenter.show(2, BARE, n)[1]) for n in range(MAX_SETTLED + 1)]
    assert [len(outputs) for outputs in gone] == [1] * MAX_SETTLED + [2]


def test_a_url_that_is_needed_and_too_long_for_this_client_is_told() -> None:
    long = ImageSource("images/0a/1.png", "http://h/" + "x" * 1000, is_own=True)
    presenter = Presenter()
    presenter.opened(TAKES, 500)
    image, outputs = presenter.show(1, long, 5)
    assert sent(outputs) == [Share, None]
    [too_large] = hear(presenter, ready())
    assert isinstance(too_large, TooLarge)
    assert too_large.image == image
    with pytest.raises(MessageTooLarge):
        presenter.show(1, long, 6)


def test_announcements_go_by_the_same_rule_and_what_can_t_be_sent_is_left_out() -> None:
    presenter = Presenter()
    presenter.preload([OWN, BARE, LISTED])
    by_url = [URL, LISTED.signed_url]
    assert sent(presenter.opened(TAKES)) == [Share, [None, None, LISTED.signed_url]]
    presenter.closed()
    assert sent(presenter.opened(TAKES_NOT)) == [by_url]
    assert sent(hear(presenter, ready(*TAKES_NOT))) == []
    assert sent(hear(presenter, ready(*TAKES))) == [Share, [None, None, LISTED.signed_url]]
    assert sent(hear(presenter, ready(*TAKES))) == []
    assert sent(hear(presenter, ready(*TAKES_NOT))) == [by_url]


def test_announcements_that_grow_too_long_without_a_url_are_left_out() -> None:
    # `null` is longer than a URL of one letter.
    name = "n" * (MAX_CHANNEL_MESSAGE - len(encode_channel(Preload((UpcomingImage("", "s"),)))))
    presenter = Presenter()
    presenter.preload([ImageSource(name, "s", is_own=True), BARE])
    assert sent(presenter.opened(TAKES)) == [Share, [None]]


def test_two_of_one_name_of_which_one_is_our_own_are_different_images() -> None:
    presenter = Presenter()
    other = ImageSource(OWN.image_url, OWN.signed_url)
    with pytest.raises(InputError, match="0 and 1"):
        presenter.preload([OWN, other])
    with pytest.raises(InputError, match="0 and 1"):
        presenter.preload([OWN, ImageSource(OWN.image_url, None)])
    presenter.preload([OWN, OWN, BARE, BARE])


def test_an_identity_is_told_once_for_each_showing_that_is_remembered() -> None:
    presenter = Presenter()
    presenter.opened()
    image, _ = presenter.show(1, LISTED, 5)
    said = Identity(1, 5, "0a" * 32, "image/png", 7, 4, 3)
    assert hear(presenter, encode_channel(said)) == [Identified(image, said)]
    for again in (said, attrs.evolve(said, image_index=2), attrs.evolve(said, sent_at=6)):
        assert isinstance(hear(presenter, encode_channel(again))[0], Drop)
    image, _ = presenter.show(1, LISTED, 9)
    presenter.closed()
    assert sent(presenter.show(3, LISTED, 10)[1]) == [Superseded]
    late = Identity(1, 9, "0a" * 32, "image/svg+xml", 7)
    assert hear(presenter, encode_channel(late)) == [Identified(image, late)]
