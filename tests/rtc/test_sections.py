"""To which offer an answer is: both name their media section, as no other offer does."""

import trio

from imgsync.core.handshake.sdp import parse_description
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.link import open_link
from tests.rtc.test_link import DEADLINE, LOOPBACK


async def test_an_answer_names_the_section_as_its_own_offer_does_and_no_other() -> None:
    mids = []
    async with open_bridge() as bridge:
        for _ in range(2):
            with trio.fail_after(DEADLINE):
                async with (
                    open_link(bridge, (), LOOPBACK) as offerer,
                    open_link(bridge, (), LOOPBACK) as answerer,
                ):
                    offer = parse_description("offer", await offerer.make_offer())
                    answer = parse_description("answer", await answerer.make_answer(offer))
                    await offerer.apply_answer(answer)
                    assert offer.mid == answer.mid
                    assert f"a=group:BUNDLE {offer.mid}\r\n" in offer.sdp
                    mids.append(offer.mid)
                    assert len(offer.mid) == 3
    assert len(set(mids)) == 2
