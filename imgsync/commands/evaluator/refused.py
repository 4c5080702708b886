"""Images whose signed URLs were refused, as they have expired, and the URLs that follow."""

import logging
from collections.abc import Sequence

from imgsync.core.channel.renewal import Renewal
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import EXPIRY_REASONS
from imgsync.evaluator.delivery import StageReport
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.images.ref import ImageRef
from imgsync.images.sources import ManifestImages
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)


class RefusedImages:
    """Of one series in one session."""

    def __init__(self, session: EvaluatorSession, images: Sequence[ImageRef]) -> None:
        self._session = session
        self._images = images
        self._renewal = Renewal()
        self._last: StageReport | None = None

    def take(self, report: StageReport) -> bool:
        """A client says this: whether an image was refused that may be had under another URL."""
        if report.reason not in EXPIRY_REASONS:
            return False
        self._last = report
        return True

    def is_to_be_read_again(self, report: StageReport) -> bool:
        """Whether `renew` is to be called now."""
        return self._renewal.failed(report.reason or "", now_ms())

    async def renew(self) -> bool:
        """Have the newest URLs. False where they can't be had, and those of before stay."""
        if isinstance(self._images, ManifestImages):
            try:
                await self._images.read_again()
            except InputError as exc:
                log.warning("%s; its URLs of before are still in use", exc)
                return False
        self._session.renew(self._images)
        return True

    def pop_renewed(self, current: int | None, *, is_new: bool = False) -> StageReport | None:
        """What is current, was refused, and has another URL by now; once.

        :param is_new: whether they were just renewed; a folder's URLs are others at each look.
        """
        last = self._last
        if last is None or last.image.index != current:
            return None
        is_listed = is_new or isinstance(self._images, ManifestImages)
        if not is_listed or self._images[current].signed_url == last.image.signed_url:
            return None
        self._last = None
        return last
