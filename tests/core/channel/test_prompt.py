"""What is waited for is acked as it comes in, once, and nothing else is."""

import pytest

from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Deliver, Transmit
from imgsync.core.channel.prompt import Prompt
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image, Ping, Preload, Ready

IMAGE = Image(1, "https://a/1.png", "https://a/1.png?s", 5.5)


def clear() -> bool:
    """All that was said before has come to the channel."""
    return True


def test_an_image_that_is_waited_for_is_acked_as_it_comes_in() -> None:
    prompt = Prompt()
    prompt.permit()
    answered = prompt.hear(encode_channel(IMAGE), 7.25, clear)
    assert answered is not None
    image, ack = answered
    assert image == IMAGE
    assert decode_channel(ack) == Ack(5.5, 7.25, 1)
    assert prompt.was_acked(image)


def test_the_ack_is_the_very_one_that_it_gets_in_its_turn() -> None:
    prompt, follower = Prompt(), Follower()
    prompt.permit()
    answered = prompt.hear(encode_channel(IMAGE), 7.25, clear)
    assert answered is not None
    [delivery] = follower.receive(answered[0], 7.25)
    assert isinstance(delivery, Deliver)
    assert follower.taken(delivery) == (True, Transmit(answered[1]))


def test_one_wait_is_good_for_one_ack() -> None:
    prompt = Prompt()
    prompt.permit()
    prompt.permit()
    assert prompt.hear(encode_channel(IMAGE), 7.25, clear) is not None
    assert prompt.hear(encode_channel(IMAGE), 7.5, clear) is None


def test_an_ack_does_not_overtake_what_was_said_before_somebody_waited() -> None:
    prompt = Prompt()
    is_permitted_while_looked_at = []

    def look() -> bool:
        # Once the permit is taken: what was said before that was given would be missed earlier.
        is_permitted_while_looked_at.append(prompt.hear(encode_channel(IMAGE), 7.25, clear))
        return False

    prompt.permit()
    assert prompt.hear(encode_channel(IMAGE), 7.25, look) is None
    assert is_permitted_while_looked_at == [None]
    prompt.permit()
    assert prompt.hear(encode_channel(IMAGE), 7.5, clear) is not None


def test_who_waits_no_more_acks_in_its_turn() -> None:
    prompt = Prompt()
    assert prompt.hear(encode_channel(IMAGE), 7.25, clear) is None
    prompt.permit()
    prompt.withdraw()
    assert prompt.hear(encode_channel(IMAGE), 7.25, clear) is None


def test_a_copy_is_another_message_than_the_one_that_was_acked() -> None:
    prompt = Prompt()
    prompt.permit()
    answered = prompt.hear(encode_channel(IMAGE), 7.25, clear)
    assert answered is not None
    copy = decode_channel(encode_channel(IMAGE))
    assert isinstance(copy, Image)
    assert not prompt.was_acked(copy)
    assert prompt.was_acked(answered[0])
    assert not prompt.was_acked(answered[0])


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", b"{}", '{"imageIndex":1}', '{"type":"dance"}'),
        *[encode_channel(one) for one in (Ping(1, 5), Preload(()), Ready(()), Ack(5, 7, 1))],
    ],
)
def test_what_is_no_image_leaves_the_permit_to_the_next(text: str | bytes) -> None:
    prompt = Prompt()
    prompt.permit()
    assert prompt.hear(text, 7.25, clear) is None
    assert prompt.hear(encode_channel(IMAGE), 7.25, clear) is not None
