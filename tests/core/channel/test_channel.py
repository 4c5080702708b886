"""The talk on the data channel: each side alone."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Deliver, Drop, Superseded, Transmit
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image, Ready
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.numbers import MAX_CHANNEL_MESSAGE, MAX_UNACKED
from imgsync.core.protocol.signalling import Milliseconds
from tests.kit.channels import LAW, READY, acked, hear, show, texts

NOT_FOR_ANYBODY = ["", "{", "[]", "7", '{"type":"dance"}', '{"type":"ack"}', '{"imageIndex":1}']


def open_presenter() -> Presenter:
    presenter = Presenter()
    presenter.opened()
    return presenter


def ack(image: Image, at: Milliseconds = 9, index: int | None = None) -> str:
    return encode_channel(Ack(image.sent_at, at, index))


def is_dropped(outputs: Sequence[object]) -> bool:
    match outputs:
        case [Drop(why)]:
            return bool(why)
    return False


# ── the evaluator's side ─────────────────────────────────────────────────────────────────────────


def test_an_image_is_sent_at_once_on_an_open_channel() -> None:
    image, outputs = open_presenter().show(
        3, ImageSource("https://a/3.png", "https://a/3.png?sig"), 5.5
    )
    assert image == Image(3, "https://a/3.png", "https://a/3.png?sig", 5.5)
    assert [decode_channel(text) for text in texts(outputs)] == [image]


def test_an_image_waits_for_the_channel_to_open() -> None:
    presenter = Presenter()
    assert presenter.opened() == []
    presenter.closed()
    image, outputs = presenter.show(1, ImageSource("1.png", "1.png?sig"), 5)
    assert outputs == []
    assert [decode_channel(text) for text in texts(presenter.opened())] == [image]


def test_nothing_is_sent_before_there_is_an_image() -> None:
    assert hear(open_presenter(), READY) == []


def test_nothing_is_sent_on_a_closed_channel() -> None:
    presenter = open_presenter()
    show(presenter, 1, 5)
    presenter.closed()
    assert hear(presenter, READY) == []
    assert texts(presenter.show(2, ImageSource("2.png", "2.png?sig"), 6)[1]) == []


@pytest.mark.parametrize(
    ("signed", "newest", "is_taken"),
    [
        ("http://h/1?expires=1&signature=a", "http://h/1?expires=2&signature=b", True),
        ("http://h/1?v=1&sig=a", "http://h/1?v=1&sig=b", True),
        ("http://h/1?v=1&sig=a", "http://h/1?v=2&sig=b", False),
        ("http://h/1?sig=a", "http://h/2?sig=b", False),
        ("http://h/1?sig=a", "http://h/1?sig=" + "b" * MAX_CHANNEL_MESSAGE, False),
    ],
)
def test_a_copy_has_the_newest_url_of_the_same_image(
    signed: str, newest: str, is_taken: bool
) -> None:
    presenter = open_presenter()
    others = [ImageSource("b", "http://h/b"), ImageSource("a", signed)]
    presenter.renew(others)
    image, _ = presenter.show(1, ImageSource("a", signed), 5)
    hear(presenter, ack(image))
    presenter.renew([*others, ImageSource("a", newest)])
    presenter.closed()
    [text] = texts(presenter.opened())
    assert decode_channel(text) == Image(1, "a", newest if is_taken else signed, image.sent_at)
    assert texts(hear(presenter, READY)) == [text]


def test_every_ready_and_every_new_channel_gets_the_very_same_payload() -> None:
    presenter = open_presenter()
    _, first = presenter.show(1, ImageSource("1.png", "1.png?sig"), 1700000000000.125)
    assert hear(presenter, READY) == first
    presenter.closed()
    assert presenter.opened() == first
    assert hear(presenter, READY) == first
    assert hear(presenter, READY) == first


def test_the_current_image_is_the_last_one_shown() -> None:
    presenter = open_presenter()
    show(presenter, 1, 5)
    _, last = presenter.show(2, ImageSource("2.png", "2.png?sig"), 6)
    assert hear(presenter, READY) == last
    presenter.closed()
    show(presenter, 3, 7)
    [text] = texts(presenter.opened())
    assert json.loads(text)["imageIndex"] == 3


@pytest.mark.parametrize("clock", [[5, 5, 5, 5], [5, 4, 3, -1], [5, 9, 9, 8], [5.5, 5.5, 5.25, 5]])
def test_sent_at_is_never_used_twice_even_if_the_clock_stands_still_or_goes_back(
    clock: list[float],
) -> None:
    presenter = open_presenter()
    times = [show(presenter, 1, now).sent_at for now in clock]
    assert times == sorted(set(times))
    assert times[-1] - max(clock) < 0.01


def test_sent_at_is_the_clock_where_the_clock_goes_on() -> None:
    presenter = open_presenter()
    assert [show(presenter, 1, now).sent_at for now in (1700000000000, 1700000000000.25)] == [
        1700000000000,
        1700000000000.25,
    ]


def test_an_ack_is_tied_to_its_image_with_the_number_of_copies_until_then() -> None:
    presenter = open_presenter()
    first, second = show(presenter, 1, 5), show(presenter, 2, 6)
    hear(presenter, READY)
    hear(presenter, READY)
    assert hear(presenter, ack(second, 70.5)) == [acked(second, 70.5, copies=3)]
    assert hear(presenter, ack(first, 80)) == [acked(first, 80, copies=1)]


def test_only_the_first_ack_counts() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    hear(presenter, ack(image))
    assert is_dropped(hear(presenter, ack(image)))
    hear(presenter, READY)
    assert is_dropped(hear(presenter, ack(image)))


@pytest.mark.parametrize("sent_at", [4, 5.5, 0, -5, 1e300])
def test_an_ack_of_no_image_is_dropped(sent_at: Milliseconds) -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert is_dropped(hear(presenter, encode_channel(Ack(sent_at, 9))))
    assert hear(presenter, ack(image)) == [acked(image, 9, copies=1)]


def test_an_ack_with_another_index_is_dropped_and_the_image_waits_on() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert is_dropped(hear(presenter, ack(image, index=2)))
    assert hear(presenter, ack(image, index=1)) == [acked(image, 9, copies=1, index=1)]


def test_a_message_that_is_too_large_is_refused_and_the_current_image_stays() -> None:
    presenter = open_presenter()
    with pytest.raises(MessageTooLarge):
        presenter.show(1, ImageSource("x" * MAX_CHANNEL_MESSAGE, ""), 4)
    assert hear(presenter, READY) == []
    image, sent = presenter.show(2, ImageSource("2.png", "2.png?sig"), 5)
    for url in ("x" * MAX_CHANNEL_MESSAGE, "é" * (MAX_CHANNEL_MESSAGE // 4)):
        with pytest.raises(MessageTooLarge):
            presenter.show(3, ImageSource(url, ""), 6)
    assert hear(presenter, READY) == sent
    assert is_dropped(hear(presenter, encode_channel(Ack(6, 9))))
    assert hear(presenter, ack(image)) == [acked(image, 9, copies=2)]
    assert show(presenter, 4, 6).sent_at == 6


def test_a_peer_that_acks_nothing_makes_us_forget_the_oldest() -> None:
    presenter = open_presenter()
    images = [show(presenter, number, number) for number in range(MAX_UNACKED)]
    more, [forgotten, sent] = presenter.show(9, ImageSource("9.png", "9.png?sig"), MAX_UNACKED)
    assert forgotten == Superseded(images[0])
    assert isinstance(sent, Transmit)
    images.append(more)
    assert is_dropped(hear(presenter, ack(images[0])))
    for image in images[1:]:
        assert hear(presenter, ack(image))[0] == acked(image, 9, copies=1)


@pytest.mark.parametrize("features", [(), ("ping",), ("stage", "preload", "x-new")])
def test_every_ready_gets_the_current_image_whatever_it_names(
    features: tuple[str, ...],
) -> None:
    presenter = open_presenter()
    assert hear(presenter, encode_channel(Ready(features))) == []
    _, sent = presenter.show(1, ImageSource("1.png", "1.png?sig"), 5)
    assert hear(presenter, encode_channel(Ready(features))) == [*sent]


def test_what_is_current_when_the_channel_goes_waits_for_the_next_one() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert presenter.closed() == []
    assert len(presenter.opened()) == 1
    assert hear(presenter, ack(image)) == [acked(image, 9, copies=2)]


def test_what_was_not_acked_and_is_not_current_goes_with_its_channel() -> None:
    presenter = open_presenter()
    known, first, second, last = (show(presenter, index, index) for index in range(4))
    hear(presenter, ack(known))
    assert presenter.closed() == [Superseded(first), Superseded(second)]
    assert presenter.closed() == []
    presenter.opened()
    assert is_dropped(hear(presenter, ack(first)))
    assert hear(presenter, ack(last)) == [acked(last, 9, copies=2)]


def test_an_image_shown_without_a_channel_takes_the_place_of_the_one_before() -> None:
    presenter = open_presenter()
    first = show(presenter, 1, 5)
    presenter.closed()
    second, outputs = presenter.show(2, ImageSource("2.png", "2.png?sig"), 6)
    assert outputs == [Superseded(first)]
    third, outputs = presenter.show(3, ImageSource("3.png", "3.png?sig"), 7)
    assert outputs == [Superseded(second)]
    assert [decode_channel(text) for text in texts(presenter.opened())] == [third]


def test_an_image_that_was_acked_is_not_superseded() -> None:
    presenter = open_presenter()
    hear(presenter, ack(show(presenter, 1, 5)))
    presenter.closed()
    assert presenter.show(2, ImageSource("2.png", "2.png?sig"), 6)[1] == []


def test_an_image_that_is_too_large_supersedes_nothing() -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    presenter.closed()
    with pytest.raises(MessageTooLarge):
        presenter.show(2, ImageSource("x" * MAX_CHANNEL_MESSAGE, ""), 6)
    presenter.opened()
    assert hear(presenter, ack(image)) == [acked(image, 9, copies=2)]


@pytest.mark.parametrize("text", [*NOT_FOR_ANYBODY, encode_channel(Image(1, "u", "s", 5)), b"{}"])
def test_what_is_not_for_an_evaluator_is_dropped(text: str | bytes) -> None:
    presenter = open_presenter()
    image = show(presenter, 1, 5)
    assert is_dropped(hear(presenter, text))
    assert hear(presenter, ack(image)) == [acked(image, 9, copies=1)]


# ── the client's side ────────────────────────────────────────────────────────────────────────────


def image_text(index: int = 1, sent_at: str = "5") -> str:
    return f'{{"imageIndex":{index},"imageUrl":"u","signedUrl":"s","sentAt":{sent_at}}}'


def deliver(follower: Follower, text: str, at: Milliseconds) -> Deliver:
    [delivery] = hear(follower, text, at)
    assert isinstance(delivery, Deliver)
    return delivery


def test_a_client_says_ready_on_every_channel() -> None:
    follower = Follower()
    assert texts(follower.opened()) == texts(follower.opened()) == [READY]


def test_an_image_goes_to_the_application_and_the_ack_when_it_was_taken() -> None:
    follower = Follower()
    delivery = deliver(follower, image_text(3), at=7.5)
    assert delivery == Deliver(Image(3, "u", "s", 5), 7.5)
    is_new, sent = follower.taken(delivery)
    assert is_new
    assert decode_channel(sent.text) == Ack(5, 7.5, 3)


def test_a_copy_is_acked_every_time_and_shown_once() -> None:
    follower = Follower()
    follower.taken(deliver(follower, image_text(), at=7))
    for at in (8, 9):
        [again] = hear(follower, image_text(), at)
        assert again == Transmit(encode_channel(Ack(5, at, 1)))


def test_a_copy_that_comes_before_the_first_was_taken_is_acked_and_not_new() -> None:
    follower = Follower()
    first, second = (deliver(follower, image_text(), at) for at in (7, 8))
    assert follower.taken(first) == (True, Transmit(encode_channel(Ack(5, 7, 1))))
    assert follower.taken(second) == (False, Transmit(encode_channel(Ack(5, 8, 1))))


def test_the_same_index_sent_anew_is_a_new_showing() -> None:
    follower = Follower()
    for sent_at in ("5", "6", "6.5"):
        is_new, _ = follower.taken(deliver(follower, image_text(1, sent_at), at=9))
        assert is_new


def test_another_index_is_another_image_though_it_was_sent_at_the_same_time() -> None:
    follower = Follower()
    for index in (1, 2):
        is_new, _ = follower.taken(deliver(follower, image_text(index), at=9))
        assert is_new


@pytest.mark.parametrize("sent_at", ["1700000000000", "1700000000000.0", "1700000000000.125", "-1"])
def test_the_ack_repeats_sent_at_to_the_digit(sent_at: str) -> None:
    follower = Follower()
    _, sent = follower.taken(deliver(follower, image_text(1, sent_at), at=9))
    assert f'"sentAt":{sent_at},' in sent.text
    [again] = hear(follower, image_text(1, sent_at), 10)
    assert isinstance(again, Transmit)
    assert f'"sentAt":{sent_at},' in again.text


@pytest.mark.parametrize("text", [*NOT_FOR_ANYBODY, READY, encode_channel(Ack(1, 2)), b"{}"])
def test_what_is_not_for_a_client_is_dropped(text: str | bytes) -> None:
    follower = Follower()
    follower.taken(deliver(follower, image_text(), at=7))
    assert is_dropped(hear(follower, text, 8))
    assert len(hear(follower, image_text(), 9)) == 1


@given(st.text() | st.binary(), st.floats(allow_nan=False, allow_infinity=False))
@LAW
def test_neither_side_is_disturbed_by_anything_that_comes_in(text: str | bytes, at: float) -> None:
    assert is_dropped(hear(open_presenter(), text))
    assert is_dropped(hear(Follower(), text, at))
