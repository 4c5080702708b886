"""The ICE servers that the relay's options name, and accounts in files."""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from imgsync.commands.relay.options import check, ice_offer_of, make_parser
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import DEFAULT_STUN
from imgsync.core.protocol.signalling import IceServer
from imgsync.relay.turn import CREDENTIAL_LIFE, IceOffer
from tests.kit.ice_urls import RIGHT, WRONG

CREDENTIAL = "S3CR3T"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("secret", "shared"), ("credential", f"{CREDENTIAL}\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return tmp_path


def parse(*words: str) -> argparse.Namespace:
    parser = make_parser("relay")
    options = parser.parse_args(words)
    check(options, parser)
    return options


def offer_by(line: str) -> IceOffer:
    return ice_offer_of(parse(*line.split()))


def complaint_about(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as caught:
        parse(*words)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("problem", WRONG)
def test_a_url_that_browsers_or_the_rfcs_refuse_is_a_usage_error_with_what_is_right(
    problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for url in WRONG[problem]:
        option = "--stun" if url.lower().startswith("stun") else "--turn"
        said = complaint_about(capsys, f"{option}={url}", "--turn-secret-file", "f")
        assert f"argument {option}: " in said
        assert "write it as" in said or pytest.raises(ValueError, match=problem).matches(
            ValueError(said)
        )


def test_right_urls_are_taken_as_they_stand() -> None:
    stun = [url for url in RIGHT if url.lower().startswith("stun")]
    turn = [url for url in RIGHT if url not in stun]
    words = [word for url in stun for word in ("--stun", url)]
    words += [word for url in turn for word in ("--turn", url)]
    offer = ice_offer_of(parse(*words, "--turn-secret-file", "secret"))
    assert (offer.stun, offer.turn) == (stun, turn)


ACCOUNT = "--turn-user ann --turn-credential-file credential"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"--turn turn:a --turn-secret-file secret {ACCOUNT}", "give one of the two"),
        ("--turn turn:a --turn-secret-file secret --turn-user ann", "give one of the two"),
        ("--turn turn:a --turn-user ann", "--turn-user and --turn-credential-file go together"),
        ("--turn turn:a --turn-credential-file f", "--turn-credential-file go together"),
        (ACCOUNT, "--turn, --turn-user and --turn-credential-file"),
        ("--turn turn:a", "--turn and --turn-secret-file go together, or"),
        (f"--turn turn:a {ACCOUNT} --turn-ttl 3600", "--turn-ttl needs --turn-secret-file"),
        ("--turn-ttl 3600", "--turn-ttl needs --turn-secret-file"),
        ("--turn-ttl 59", "59 is not between 60, as clocks differ, and 31536000, a year"),
        ("--turn-ttl 31536001", "is not between 60"),
        ("--turn-ttl nan", "is not between 60"),
        ("--turn-ttl week", "invalid number value: 'week'"),
        (f"--turn turn:a --turn-user {'u' * 510}", "more than 509 bytes"),
    ],
)
def test_options_that_contradict_each_other_are_usage_errors(
    line: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint in complaint_about(capsys, *line.split())


def test_a_user_name_that_is_empty_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert "needs a user name" in complaint_about(capsys, "--turn-user", "")


def test_a_fixed_account_is_that_of_each_turn_server_and_never_expires() -> None:
    offer = offer_by(f"--turn turn:a --turn turns:b {ACCOUNT}")
    assert offer.expires_after == float("inf")
    assert offer.servers_for("carl", 0) == [
        IceServer(DEFAULT_STUN),
        IceServer(("turn:a", "turns:b"), "ann", CREDENTIAL),
    ]
    assert CREDENTIAL not in repr(offer)


def test_the_life_of_what_is_made_is_an_option() -> None:
    line = "--turn turn:a --turn-secret-file secret"
    assert offer_by(line).expires_after == CREDENTIAL_LIFE
    offer = offer_by(f"{line} --turn-ttl 3600")
    assert offer.expires_after == 3600
    assert offer.servers_for("carl", 1000.9)[-1].username == "4600:carl"


def test_a_made_user_name_is_no_longer_than_browsers_take() -> None:
    [server] = IceOffer(stun=(), turn=["turn:a"], secret=b"s").servers_for("\U0001f600" * 128, 0)
    assert server.username is not None
    assert 500 < len(server.username.encode()) <= 509


LISTED = [
    {"urls": "stun:s"},
    {"urls": ["turn:a", "turns:a:443"], "username": "ann", "credential": "x", "other": 1},
    {"url": "turn:b", "urls": "turn:b", "username": "bob", "credential": "y"},
]
SERVERS = (
    IceServer("stun:s"),
    IceServer(("turn:a", "turns:a:443"), "ann", "x"),
    IceServer("turn:b", "bob", "y"),
)


@pytest.mark.parametrize(
    ("content", "servers"),
    [
        (LISTED, SERVERS),
        ({"iceServers": LISTED}, SERVERS),
        ({"ice_servers": LISTED, "ttl": "86400"}, SERVERS),
        ({"iceServers": LISTED[1]}, SERVERS[1:2]),
        (LISTED[1], SERVERS[1:2]),
    ],
)
def test_a_list_is_taken_as_hosted_services_hand_it_out(
    content: Any, servers: tuple[IceServer, ...], folder: Path
) -> None:
    (folder / "list").write_text(json.dumps(content))
    offer = offer_by("--ice-servers-file list")
    assert offer.others == servers
    has_stun = servers[0].urls == "stun:s"
    assert offer.stun == ([] if has_stun else [DEFAULT_STUN])
    both = offer_by("--ice-servers-file list --stun stun:t --turn turn:c --turn-secret-file secret")
    told = both.servers_for("carl", 0)
    assert [server.urls for server in told[:2]] == ["stun:t", ("turn:c",)]
    assert told[2:] == [*servers]


NESTED = "[" * 40_000


def why_not_json(text: str) -> str:
    """The newest Pythons read as deep as a list of servers may be long."""
    try:
        json.loads(text)
    except RecursionError:
        return "nested too deeply"
    except ValueError:
        return "not JSON"
    raise AssertionError("it is JSON")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "not JSON"),
        ("[]", "the list is empty"),
        ("{}", "missing"),
        ("7", "expected a list"),
        ('["turn:a"]', "expected an object"),
        ('[{"urls": 7}]', "urls"),
        ('[{"urls": "turn:a"}]', "needs a user name and a credential"),
        ('[{"urls": "turn:a", "username": "ann", "credential": ""}]', "needs a user name"),
        (f'[{{"urls": "turn://a", "username": "u", "credential": "{CREDENTIAL}"}}]', "no slash"),
        ('[{"urls": ["stun:a", "stun:a?transport=udp"]}]', "nothing stands behind the port"),
        (f'[{{"urls": "turn:a", "credential": "{CREDENTIAL}"}}', "not JSON"),
        ("\udcff", "not text in UTF-8"),
        pytest.param(NESTED, why_not_json(NESTED), id="nested"),
        (" " * 70_000, "more than 65536 bytes"),
    ],
)
def test_a_file_without_servers_that_can_be_used_is_an_input_error_that_names_it(
    content: str, complaint: str, folder: Path
) -> None:
    (folder / "list").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match="'list' has no ICE servers") as caught:
        offer_by("--ice-servers-file list")
    assert complaint in str(caught.value)
    assert CREDENTIAL not in str(caught.value)


def test_files_that_are_missing_are_input_errors() -> None:
    for line in (
        "--ice-servers-file gone",
        "--turn turn:a --turn-secret-file gone",
        "--turn turn:a --turn-user ann --turn-credential-file gone",
    ):
        with pytest.raises(InputError, match="'gone'"):
            offer_by(line)


def test_the_relay_warns_of_servers_that_no_session_asks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "imgsync")
    offer_by(f"--turn turn:a --turn turns:b?transport=udp {ACCOUNT}")
    offer_by(" ".join(f"--turn turn:{host}" for host in "abcde") + f" {ACCOUNT}")
    told = [record.getMessage() for record in caplog.records]
    assert [text.partition(": ")[0] for text in told] == [
        "no session asks turns:b?transport=udp",
        "no session asks turn:e",
    ]
