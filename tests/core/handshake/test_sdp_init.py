"""The INIT of SCTP that a description may bring along, and what is none."""

import base64
import struct

import pytest

from imgsync.core.handshake.sdp import parse_description, read_init
from tests.kit.descriptions import CHROMIUM
from tests.kit.inits import CHROMIUM_INIT, NO_INITS, make_init


def test_the_init_of_a_browser_is_read_with_its_header() -> None:
    chunk = read_init(CHROMIUM_INIT)
    assert chunk[:4] == bytes([1, 0, 0, 30])
    assert len(chunk) == 30


def test_padding_behind_it_is_no_part_of_it() -> None:
    chunk = base64.b64decode(CHROMIUM_INIT)
    assert read_init(base64.b64encode(chunk + bytes(2)).decode()) == chunk


@pytest.mark.parametrize("text", NO_INITS.values(), ids=NO_INITS)
def test_what_is_no_init_is_left_out_of_a_description_that_is_good_without(text: str) -> None:
    description = parse_description("offer", f"{CHROMIUM}a=sctp-init:{text}\r\n")
    assert description.sctp_init == b""
    assert "sctp-init" not in description.sdp
    assert description.sdp == parse_description("offer", CHROMIUM).sdp


def test_an_init_is_let_through_and_a_description_without_has_none() -> None:
    with_init = parse_description("answer", f"{ANSWER}a=sctp-init:{CHROMIUM_INIT}\r\n")
    assert with_init.sctp_init == base64.b64decode(CHROMIUM_INIT)
    assert f"a=sctp-init:{CHROMIUM_INIT}\r\n" in with_init.sdp
    assert parse_description("answer", ANSWER).sctp_init == b""


def test_of_several_the_first_that_is_one_counts() -> None:
    bad = NO_INITS["not base64"]
    sdp = f"{CHROMIUM}a=sctp-init:{bad}\r\na=sctp-init:{CHROMIUM_INIT}\r\n"
    assert parse_description("offer", sdp).sctp_init == base64.b64decode(CHROMIUM_INIT)


def test_what_one_has_to_say_is_said_by_the_smallest() -> None:
    assert len(read_init(make_init())) == struct.calcsize("!BBHLLHHL")


ANSWER = CHROMIUM.replace("actpass", "active")
