"""What peers are told of STUN and TURN; the credentials are checked against OpenSSL's."""

import base64
import re
import shutil
import subprocess

import pytest

from imgsync.core.protocol.numbers import DEFAULT_STUN
from imgsync.core.protocol.signalling import IceServer
from imgsync.relay.turn import CREDENTIAL_LIFE, IceOffer

TURN = ("turn:turn.example.org:3478", "turns:turn.example.org:5349?transport=tcp")
SECRET = b"north of the river, south of the hill"
NOW = 1_700_000_000.75


def turn_server(user_id: str, secret: bytes = SECRET, now: float = NOW) -> IceServer:
    [server] = IceOffer(stun=(), turn=TURN, secret=secret).servers_for(user_id, now)
    return server


def test_without_a_turn_server_there_is_stun_and_nothing_that_expires() -> None:
    assert IceOffer().servers_for("carl", NOW) == [IceServer(DEFAULT_STUN)]
    several = IceOffer(stun=("stun:a", "stun:b")).servers_for("carl", NOW)
    assert several == [IceServer("stun:a"), IceServer("stun:b")]
    assert IceOffer(stun=()).servers_for("carl", NOW) == []


def test_the_username_is_the_time_of_expiry_and_the_user() -> None:
    server = turn_server("carl")
    assert server.urls == TURN
    assert server.username == f"{1_700_000_000 + CREDENTIAL_LIFE}:carl"


def test_the_credential_is_this_one() -> None:
    # printf %s 1700604800:carl | openssl dgst -binary -sha1 -hmac "$SECRET" | base64
    server = turn_server("carl", now=1_700_604_800 - CREDENTIAL_LIFE)
    assert (server.username, server.credential) == (
        "1700604800:carl",
        "2VxMurJJLwJ19v7yazT7vXIWbXs=",
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
@pytest.mark.parametrize("user_id", ["carl", "a:b", "ä ö 😀", "x" * 128])
@pytest.mark.parametrize("secret", [SECRET, b"k" * 100, bytes(range(1, 65))])
def test_the_credential_is_the_one_that_openssl_computes(user_id: str, secret: bytes) -> None:
    server = turn_server(user_id, secret)
    assert server.username is not None
    command = ["openssl", "dgst", "-binary", "-sha1", "-mac", "HMAC"]
    key = ["-macopt", f"hexkey:{secret.hex()}"]
    done = subprocess.run(
        command + key, input=server.username.encode(), capture_output=True, check=True
    )
    assert server.credential == base64.b64encode(done.stdout).decode()


def test_users_and_times_have_credentials_of_their_own() -> None:
    servers = [turn_server("carl"), turn_server("cleo"), turn_server("carl", now=NOW + 1)]
    assert len({server.credential for server in servers}) == 3
    assert turn_server("carl").credential != turn_server("carl", b"another").credential


def test_turn_stands_behind_stun() -> None:
    servers = IceOffer(turn=TURN, secret=SECRET).servers_for("carl", NOW)
    assert [server.urls for server in servers] == [DEFAULT_STUN, TURN]
    assert servers[0].credential is None


def test_neither_the_secret_nor_a_credential_stands_in_a_repr() -> None:
    offer = IceOffer(turn=TURN, secret=SECRET)
    credential = turn_server("carl").credential
    assert credential is not None
    assert re.fullmatch(r"[A-Za-z0-9+/]{27}=", credential)
    assert credential not in repr(offer.servers_for("carl", NOW))
    assert SECRET.decode() not in repr(offer)
