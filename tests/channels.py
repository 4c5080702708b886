"""What the tests of the talk on the data channel share."""

from hypothesis import HealthCheck, settings

from imgsync.core.channel import Presenter, Transmit
from imgsync.core.codec import encode_channel
from imgsync.core.messages import Image, Ready

LAW = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
READY = encode_channel(Ready())


def show(presenter: Presenter, index: int, now: float) -> Image:
    image, _ = presenter.show(index, f"{index}.png", f"{index}.png?sig", now)
    return image


def texts(outputs: list[Transmit]) -> list[str]:
    return [output.text for output in outputs]
