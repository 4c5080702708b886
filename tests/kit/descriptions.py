"""Descriptions as real peers send them, and how hard the tests of SDP try."""

from hypothesis import HealthCheck, settings

LAW = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def crlf(block: str) -> str:
    return "\r\n".join(line.strip() for line in block.strip().splitlines()) + "\r\n"


FINGERPRINT = ":".join(["0A", "b1"] * 16)
AIORTC = crlf(f"""
    v=0
    o=- 3932451023 3932451023 IN IP4 0.0.0.0
    s=-
    t=0 0
    a=group:BUNDLE 0
    a=msid-semantic:WMS *
    m=application 43196 UDP/DTLS/SCTP webrtc-datachannel
    c=IN IP4 192.0.2.2
    a=mid:0
    a=sctp-port:5000
    a=max-message-size:262144
    a=candidate:f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 43196 typ host
    a=candidate:d0bcf3d9c29a2bc887618212a1623bfa 1 udp 2130706431 fd00::2 48112 typ host
    a=end-of-candidates
    a=ice-ufrag:5MyH
    a=ice-pwd:7PIZgMdgCwsavahID6SRvX
    a=fingerprint:sha-256 {FINGERPRINT}
    a=fingerprint:sha-384 {FINGERPRINT}:{":".join(["AB"] * 16)}
    a=fingerprint:sha-512 {FINGERPRINT}:{FINGERPRINT}
    a=setup:actpass
""")
CHROMIUM = crlf(f"""
    v=0
    o=- 4611731400430051336 2 IN IP4 127.0.0.1
    s=-
    t=0 0
    a=group:BUNDLE 0
    a=extmap-allow-mixed
    a=msid-semantic: WMS
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel
    c=IN IP4 0.0.0.0
    a=ice-ufrag:Yq3L
    a=ice-pwd:Hk2vDqJ0u9xE/3sTn+pWcAzB
    a=ice-options:trickle
    a=fingerprint:sha-256 {FINGERPRINT}
    a=setup:actpass
    a=mid:0
    a=sctp-port:5000
    a=max-message-size:262144
""")
FIREFOX = crlf(f"""
    v=0
    o=mozilla...THIS_IS_SDPARTA-128.0 5342119870 0 IN IP4 0.0.0.0
    s=-
    t=0 0
    a=sendrecv
    a=fingerprint:sha-256 {FINGERPRINT}
    a=group:BUNDLE 0
    a=ice-options:trickle
    a=msid-semantic:WMS *
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel
    c=IN IP4 0.0.0.0
    a=sendrecv
    a=ice-pwd:0f3f1a6f0d1d5b0a9a6d1e2f3a4b5c6d
    a=ice-ufrag:7c0f1a2b
    a=mid:0
    a=setup:actpass
    a=sctp-port:5000
    a=max-message-size:1073741823
""")
REAL = {"aiortc": AIORTC, "chromium": CHROMIUM, "firefox": FIREFOX}

AUDIO = crlf("""
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63
    c=IN IP4 0.0.0.0
    a=rtcp:9 IN IP4 0.0.0.0
    a=candidate:1 1 udp 2122260223 192.0.2.9 50000 typ host
    a=ice-ufrag:aUd1
    a=ice-pwd:Hk2vDqJ0u9xE/3sTn+pWcAzB
    a=setup:actpass
    a=mid:audio
    a=sendrecv
    a=rtcp-mux
    a=rtpmap:111 opus/48000/2
    a=rtpmap:63 red/48000/2
""")


def place(sdp: str, before: str = "", after: str = "") -> str:
    """A description with other sections before and behind its one."""
    session, begin, section = sdp.partition("m=")
    return session + before + begin + section + after
