"""Certificates of any kind, and how descriptions name them."""

import datetime
import re

import pytest
import trio
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import Hindered, LinkLost, Opened
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.numbers import CHANNEL_LABEL
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.link import open_link
from tests.rtc.test_link import (
    DEADLINE,
    LOOPBACK,
    Change,
    End,
    Foreign,
    answer_foreign,
    both_opened,
    describe,
    offer_to_foreign,
    open_ends,
    pass_candidates,
)

SHA_256 = "a=fingerprint:sha-256 "
OTHERS = "a=fingerprint:sha-256 " + ":".join(["0A"] * 32) + "\r\n"
OTHERS_384 = "a=fingerprint:SHA-384 " + ":".join(["0b"] * 48) + "\r\n"
UNKNOWN = "a=fingerprint:sha-3 " + ":".join(["0C"] * 20) + "\r\n"


# ── fingerprints ─────────────────────────────────────────────────────────────────────────────────


async def test_offer_and_answer_name_one_fingerprint_which_is_of_sha_256() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        for description in await describe(offerer.link, answerer.link):
            assert re.findall("a=fingerprint:(.*?) ", description.sdp) == ["sha-256"]


def before(more: str) -> Change:
    return lambda sdp: sdp.replace(SHA_256, more + SHA_256)


def behind(more: str) -> Change:
    return lambda sdp: re.sub(f"({SHA_256}.*\r\n)", lambda line: line[1] + more, sdp)


SEVERAL = {
    "another certificate's first": before(OTHERS),
    "another certificate's last": behind(OTHERS),
    "another certificate's of another hash": before(OTHERS_384),
    "three certificates'": lambda sdp: before(OTHERS + OTHERS_384)(behind(OTHERS)(sdp)),
    "one of a hash that nobody knows": behind(UNKNOWN),
    "the same one twice, in small letters": lambda sdp: re.sub(
        f"{SHA_256}.*\r\n", lambda line: line[0] + line[0].lower(), sdp
    ),
    "of the whole session": lambda sdp: re.sub(
        f"(?s)(m=.*)({SHA_256}[^\r]*\r\n)", lambda found: found[2] + OTHERS + found[1], sdp
    ),
}


@pytest.mark.parametrize("change", SEVERAL.values(), ids=SEVERAL)
async def test_of_several_fingerprints_one_that_fits_is_enough(change: Change) -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        descriptions = await describe(
            offerer.link, answerer.link, change_offer=change, change_answer=change
        )
        assert all(one.sdp.count("a=fingerprint:") > 1 for one in descriptions)
        pass_candidates(offerer, answerer, *descriptions)
        await both_opened(offerer, answerer)


async def test_of_several_fingerprints_of_which_none_fits_there_is_no_connection() -> None:
    def forge(sdp: str) -> str:
        return re.sub(f"{SHA_256}.*\r\n", OTHERS + OTHERS_384 + UNKNOWN, sdp)

    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        descriptions = await describe(offerer.link, answerer.link, change_answer=forge)
        pass_candidates(offerer, answerer, *descriptions)
        with trio.fail_after(DEADLINE):
            assert (await offerer.expect(Hindered)).cause is Cause.DTLS_REFUSED
            assert (await offerer.expect(LinkLost)).why == "the peer connection is failed"


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


def certificate_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> RTCCertificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    public = key.public_key()
    built = x509.CertificateBuilder(name, name, public, 1, now - day, now + day)
    return RTCCertificate(key, built.sign(key, hashes.SHA256()))  # type: ignore[arg-type]


CERTIFICATES = {
    "RSA of 2048 bits": lambda: certificate_of(rsa.generate_private_key(65537, 2048)),
    "P-256": lambda: certificate_of(ec.generate_private_key(ec.SECP256R1())),
    "P-384": lambda: certificate_of(ec.generate_private_key(ec.SECP384R1())),
    "P-521": lambda: certificate_of(ec.generate_private_key(ec.SECP521R1())),
}


async def make_with(certificate: RTCCertificate) -> Foreign:
    """A peer with this certificate, and with the suites of OpenSSL; aiortc's know no RSA."""
    stock = RTCCertificate.generateCertificate
    create = certificate._create_ssl_context

    def create_for_all(srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = create(srtp_profiles)
        context.set_cipher_list(b"DEFAULT")
        return context

    certificate._create_ssl_context = create_for_all  # type: ignore[method-assign]
    RTCCertificate.generateCertificate = lambda: certificate  # type: ignore[method-assign]
    try:
        return Foreign()
    finally:
        RTCCertificate.generateCertificate = stock  # type: ignore[method-assign]


@pytest.mark.parametrize("role", ["offers", "answers"])
@pytest.mark.parametrize("kind", CERTIFICATES)
async def test_a_peer_with_any_usual_certificate_connects_in_either_role(
    kind: str, role: str
) -> None:
    async with open_bridge() as bridge, open_link(bridge, (), LOOPBACK) as link:
        foreign = await bridge.call(make_with, CERTIFICATES[kind]())
        end = End(link)
        with trio.fail_after(DEADLINE):
            if role == "offers":
                await answer_foreign(bridge, foreign, link, [CHANNEL_LABEL])
            else:
                await offer_to_foreign(bridge, foreign, link)
            await end.expect(Opened)
            await bridge.call(foreign.pc.close)


async def test_our_answer_stays_the_side_that_begins_with_dtls() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        offer, answer = await describe(offerer.link, answerer.link)
        assert "a=setup:actpass\r\n" in offer.sdp
        assert "a=setup:active\r\n" in answer.sdp
        assert parse_description("answer", answer.sdp).kind == "answer"
