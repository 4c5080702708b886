"""What the tests of the talk on the data channel share."""

from collections.abc import Sequence

from hypothesis import HealthCheck, settings

from imgsync.core.channel.outputs import PeerSpeaks, Transmit
from imgsync.core.channel.presenter import Presenter
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import Image, Ready
from imgsync.core.protocol.numbers import FEATURES

LAW = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
READY = encode_channel(Ready(FEATURES))
SPEAKS = PeerSpeaks(FEATURES)


def resent(outputs: Sequence[object]) -> list[Transmit]:
    """What a ready leads to, but for the news of what the other side speaks."""
    assert outputs[0] == SPEAKS
    return [output for output in outputs[1:] if isinstance(output, Transmit)]


def show(presenter: Presenter, index: int, now: float) -> Image:
    image, _ = presenter.show(index, f"{index}.png", f"{index}.png?sig", now)
    return image


def texts(outputs: Sequence[object]) -> list[str]:
    return [output.text for output in outputs if isinstance(output, Transmit)]
