#!/usr/bin/env bash
# aiortc 1.16.0: a peer whose certificate is RSA connects if it answers, and not if it offers.
#
# An answer of aiortc's is always `a=setup:active`, so that it is the client of the DTLS handshake,
# and as a client it offers suites for ECDSA certificates alone (rtcdtlstransport.py, the list that
# it gives to set_cipher_list). As the server it takes the other side's RSA certificate. RFC 8827,
# section 6.5, has ECDHE-ECDSA as the suite that must be there and leaves room for others; browsers
# offer ECDHE-RSA, too. GStreamer's webrtcbin has an RSA certificate unless it is given another, so
# that its offers to a program on aiortc never come to a connection, though ICE does.
#
# Needs python3 and the package index. Prints what was seen, and fails if that is not so any more.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q aiortc==1.16.0 aioice==0.13.0

cat >"$folder/pair.py" <<'PYTHON'
import asyncio
import datetime
import sys

from aiortc import RTCCertificate, RTCConfiguration, RTCPeerConnection
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

stock = RTCCertificate.generateCertificate


def certificate(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    made = RTCCertificate(key, built.sign(key, hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        accept_all_suites(made)
    return made


def accept_all_suites(made):
    """As other stacks do on OpenSSL, so that it is the other side alone that does not offer them."""
    create = made._create_ssl_context

    def create_with_all(srtp_profiles):
        context = create(srtp_profiles)
        context.set_cipher_list(b"DEFAULT")
        return context

    made._create_ssl_context = create_with_all


def open_peer(kind):
    make = {"ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
            "rsa": lambda: rsa.generate_private_key(65537, 2048)}[kind]
    RTCCertificate.generateCertificate = classmethod(lambda cls: certificate(make()))
    try:
        return RTCPeerConnection(RTCConfiguration(iceServers=[]))
    finally:
        RTCCertificate.generateCertificate = stock


async def connect(kind_of_offerer, kind_of_answerer):
    offerer, answerer = open_peer(kind_of_offerer), open_peer(kind_of_answerer)
    over = asyncio.Event()

    @offerer.on("connectionstatechange")
    def look():
        if offerer.connectionState in ("connected", "failed", "closed"):
            over.set()

    offerer.createDataChannel("any")
    await offerer.setLocalDescription(await offerer.createOffer())
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    await offerer.setRemoteDescription(answerer.localDescription)
    await asyncio.wait_for(over.wait(), 30)
    states = offerer.iceConnectionState, offerer.connectionState
    await asyncio.gather(offerer.close(), answerer.close())
    return states


async def main():
    expected = {("ecdsa", "ecdsa"): "connected", ("ecdsa", "rsa"): "connected",
                ("rsa", "ecdsa"): "failed"}
    seen = {}
    for kinds in expected:
        ice, seen[kinds] = await connect(*kinds)
        print(f"offers with {kinds[0]:5}, answers with {kinds[1]:5}: ICE {ice}, connection {seen[kinds]}")
    sys.exit(seen != expected)


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/pair.py" 2>"$folder/errors" || { cat "$folder/errors" >&2; exit 1; }
