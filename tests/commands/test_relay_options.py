"""The relay's command line: what is wrong with it is told in one line that says what to do.

Exit code 2 is for what the line says, 1 for what it names.
"""

import json
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from imgsync.commands.relay import main as command
from imgsync.commands.relay.options import (
    MIN_FILES,
    SPARE_STREAMS,
    make_parser,
    settings_of,
    share_files,
)
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import DEFAULT_STUN
from imgsync.net.limits import NetLimits
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer
from tests.kit.processes import LISTENING, START_S, STRICT, Child, open_child, our_relay
from tests.kit.relays import open_peer, register
from tests.relay.test_limits import get, scrape
from tests.relay.test_tls import Pair as Certificates

SECRET = "0123456789abcdef" * 2

WITHIN = 40.0
"""Seconds for one test on a loaded machine, the start of a process included."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the relay is started, and finds its files by their names alone."""

    async def complain(line: str) -> None:
        raise AssertionError(f"it starts: {line}")

    monkeypatch.chdir(tmp_path)
    # The command would take over the log of the whole process.
    monkeypatch.setattr(command, "set_up_relay_logging", lambda format, level: None)
    monkeypatch.setattr(command, "announce_line", complain)
    return tmp_path


def exit_code_of(line: str) -> int:
    """Run the command here, as far as it comes."""
    try:
        return command.main(["--port", "0", *line.split()], "relay")
    except SystemExit as exc:
        return int(exc.code or 0)


# ── usage ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("--tls-cert f", "--tls-cert and --tls-key go together"),
        ("--tls-key f", "--tls-cert and --tls-key go together"),
        ("--turn turn:a", "--turn and --turn-secret-file go together"),
        ("--turn-secret-file f", "--turn and --turn-secret-file go together"),
        ("--end-at-expiry", "--end-at-expiry needs --auth-secret-file: without it"),
        ("--end-at-expiry --no-auth", "--end-at-expiry needs --auth-secret-file: without it"),
        ("--auth-secret-file f --no-auth", "--no-auth: not allowed with .* --auth-secret-file"),
        ("--allow-origin a.example", r"'a\.example' is no origin; write it .*: https://lab\."),
        ("--allow-origin https://a.example/page", "is no origin; write it as browsers do"),
        ("--allow-origin https://", "is no origin; write it as browsers do"),
        ("--forwarded-by proxy", "argument --forwarded-by: 'proxy' is no IP address"),
        ("--forwarded-by 127.0.0.1:80", "argument --forwarded-by: .* is no IP address"),
        ("--stun stun.example", "is no STUN server; write it as stun:HOST:PORT, or none"),
        ("--turn stun:a --turn-secret-file f", "is no TURN server; write it as turn:HOST:PORT"),
        ("--recording-url /here", "'/here' is no address to post to; write it as https://HOST/"),
        ("--recording-url ftp://a.example/", "is no address to post to"),
        ("--log-format xml", "--log-format: invalid choice: 'xml' .*text.*json"),
        ("--port seven", "--port: invalid int value: 'seven'"),
        ("--max-message 1023", "--max-message: 1023 is not between 1024 and"),
        ("--max-message 100000000", "--max-message: 100000000 is not between 1024 and"),
        ("--max-message 1e4", "--max-message"),
        ("--verbose", "unrecognized arguments: --verbose"),
        ("8765", "unrecognized arguments: 8765"),
    ],
)
def test_a_line_that_makes_no_sense_is_a_usage_error_that_names_the_option(
    line: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(line) == 2
    assert_last_line(capsys, rf"^relay: error: .*{complaint}")


COUNTS = (
    *("--max-connections", "--max-sockets-per-user", "--max-head"),
    *("--outbox-size", "--outbox-total"),
)
RATES = ("--connect-rate", "--rate-limit", "--address-rate")
TIMES = ("--grace", "--register-deadline", "--write-deadline", "--head-deadline")


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (COUNTS, ("0", "-1", "1.5", "many", "9999999999")),
        (RATES, ("-1", "nan", "inf", "1e9", "often")),
        (TIMES, ("0", "-1", "nan", "inf", "1e6", "soon")),
    ],
)
def test_a_number_that_is_none_or_out_of_range_is_a_usage_error(
    options: tuple[str, ...], numbers: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for option in options:
        for number in numbers:
            assert exit_code_of(f"{option} {number}") == 2
            assert_last_line(capsys, f"^relay: error: argument {option}: invalid .*number.*value")


def assert_last_line(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: relay [-h]")
    assert pytest.raises(ValueError, match=pattern).matches(
        ValueError(said.err.splitlines()[-1])
    ), said.err


# ── files, and places to listen ──────────────────────────────────────────────────────────────────


@attrs.frozen
class Wrong:
    """Options that a relay can't be run with, and what is said of them."""

    line: str
    complaint: str


def write_files(folder: Path) -> None:
    """Secrets and certificates that are as they should be or, by their names, are not."""
    texts = {"good": SECRET, "empty": "", "blank": "\n", "short": SECRET[1:], "long": SECRET * 999}
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)
    (folder / "directory").mkdir()
    (folder / "texts").mkdir()
    (folder / "texts" / "de.json").write_text('{"thanks": "Vielen Dank!"}')
    other = folder / "other"
    other.mkdir()
    Certificates(folder).issue("relay")
    Certificates(other).issue("other")


FILES = [
    Wrong("missing", "no secret file 'missing'; make one .*: .*openssl rand -hex 32 > missing"),
    Wrong("empty", "'empty' is empty; put into it what this prints: openssl rand -hex 32"),
    Wrong("blank", "'blank' is empty; put into it what this prints: openssl rand -hex 32"),
    Wrong("long", "'long' is longer than 16384 bytes; is it the right file?"),
    Wrong("directory", "can't read the secret file 'directory': Is a directory; name another one"),
]


@pytest.mark.parametrize("wrong", FILES, ids=lambda wrong: wrong.line)
def test_a_secret_that_will_not_do_is_told_with_its_file(
    wrong: Wrong, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(folder)
    for option in ("--auth-secret-file", "--turn turn:a --turn-secret-file"):
        assert exit_code_of(f"{option} {wrong.line}") == 1
        assert_one_line(capsys, wrong.complaint)


ELSEWHERE = [
    # The TURN server's is not ours to choose.
    Wrong(
        "--auth-secret-file short",
        "'short' has 31 bytes and needs 32 or more; use what this prints: openssl rand -hex 32",
    ),
    Wrong(
        "--tls-cert missing --tls-key privkey.pem",
        "can't read the certificate missing: No such file or directory",
    ),
    Wrong(
        "--tls-cert fullchain.pem --tls-key missing",
        "can't read the private key missing: No such file or directory",
    ),
    Wrong("--tls-cert good --tls-key privkey.pem", "good holds no certificate in PEM form"),
    Wrong(
        "--tls-cert fullchain.pem --tls-key other/privkey.pem",
        "can't use the key other/privkey.pem .*: the two do not belong together",
    ),
    Wrong(
        "--texts missing", "the texts in 'missing' can't be read: No such file or directory; name a"
    ),
    Wrong("--texts directory", "'directory' has no texts; name a folder with a file for each"),
    Wrong("--port 65536", "there is no port 65536; choose one from 0 to 65535"),
    Wrong("--port -1", "there is no port -1; choose one from 0 to 65535"),
    Wrong(
        "--host 192.0.2.1 --no-auth",
        "can't listen on 192.0.2.1:0: this machine has no such address",
    ),
]
EXPOSED = [
    Wrong(
        f"--host {host}",
        f"anybody who reaches {host} could register as anybody; ask for tokens with"
        " --auth-secret-file, say --no-auth if it is meant, or listen on 127.0.0.1",
    )
    for host in ("0.0.0.0", "::", "192.0.2.1", "relay.example")
]


@pytest.mark.parametrize("wrong", [*ELSEWHERE, *EXPOSED], ids=lambda wrong: wrong.line)
def test_a_relay_that_can_not_or_should_not_start_says_what_to_do(
    wrong: Wrong, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(folder)
    assert exit_code_of(wrong.line) == 1
    assert_one_line(capsys, wrong.complaint)


def test_a_port_that_is_taken_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert exit_code_of(f"--port {port}") == 1
    assert_one_line(
        capsys, f"can't listen on 127.0.0.1:{port}: the port is taken; stop what uses it, or choose"
    )


def assert_one_line(capsys: pytest.CaptureFixture[str], complaint: str) -> None:
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert pytest.raises(ValueError, match=f"^relay: .*{complaint}").matches(ValueError(line)), line


# ── what options stand for ───────────────────────────────────────────────────────────────────────


def settings_by(line: str) -> Settings:
    return settings_of(make_parser("relay").parse_args(line.split()))


def test_without_options_the_settings_are_the_defaults() -> None:
    ours = settings_by("")
    fitting = ours.max_connections
    assert fitting <= Settings().max_connections
    net = NetLimits(max_streams=fitting + SPARE_STREAMS)
    assert ours == Settings(
        ice=IceOffer([DEFAULT_STUN], []), net=net, origins=[], proxies=[], max_connections=fitting
    )


def test_each_option_stands_for_its_setting(folder: Path) -> None:
    write_files(folder)
    assert settings_by(
        "--max-connections 11 --max-sockets-per-user 12 --connect-rate 1.3 --rate-limit 1.4"
        " --address-rate 1.5 --max-message 1500 --outbox-size 16 --outbox-total 17"
        " --write-deadline 1.7 --register-deadline 1.8"
        " --max-head 19 --head-deadline 2.0 --grace 2.1 --allow-origin https://A.example/"
        " --allow-origin null --forwarded-by 10.0.0.1 --forwarded-by fd00:0::1"
        " --stun stun:a --stun stun:b --turn turn:c --turn turns:d --turn-secret-file good"
        " --recording-url https://a.example/recordings?study=1 --texts texts"
    ) == Settings(
        recording_url="https://a.example/recordings?study=1",
        texts={"de": {"thanks": "Vielen Dank!"}},
        max_connections=11,
        max_sockets_per_user=12,
        connect_rate=1.3,
        rate_limit=1.4,
        address_rate=1.5,
        register_deadline=1.8,
        grace=2.1,
        origins=["https://a.example", "null"],
        proxies=["10.0.0.1", "fd00::1"],
        ice=IceOffer(["stun:a", "stun:b"], ["turn:c", "turns:d"], SECRET.encode()),
        net=NetLimits(
            max_message=1500,
            outbox_size=16,
            outbox_total=17,
            write_deadline=1.7,
            max_head=19,
            head_deadline=2.0,
            max_streams=11 + SPARE_STREAMS,
        ),
    )
    assert settings_by("--stun none").ice == IceOffer([], [])
    assert settings_by("--auth-secret-file good --end-at-expiry").end_at_expiry


# ── started after all ────────────────────────────────────────────────────────────────────────────


def limited_relay(limit: str, *options: str) -> tuple[str, ...]:
    """A relay under what `ulimit` is told."""
    return ("bash", "-c", f'ulimit {limit} && exec "$@"', "bash", *our_relay(*options))


async def test_it_listens_on_all_addresses_with_tokens_or_where_that_is_meant(
    tmp_path: Path,
) -> None:
    write_files(tmp_path)
    for options, answer in (
        (("--auth-secret-file", str(tmp_path / "good")), "unauthorized"),
        (("--no-auth",), "registered"),
    ):
        async with open_relay(*our_relay("--host", "0.0.0.0", *options)) as (_, port):
            assert (await get(port, "/health"))[0] == 200
            async with open_peer(port) as peer:
                peer.socket.post(register("c", "client"))
                message = json.loads(await peer.socket.receive())
                assert message["data"].get("code", message["event"]) == answer


@pytest.mark.parametrize(
    ("limit", "fitting", "streams"),
    [
        (64, 12, 16),
        (128, 48, 64),
        (256, 144, 192),
        (321, 193, 257),
        (1024, 720, 960),
        (2048, 1728, 1984),
        (5000 + 320 - 1, 4999, 5255),
        (5000 + 320, 5000, 5256),
        (65536, 5000, 5256),
    ],
)
def test_a_part_of_the_files_is_spared_and_never_most_of_them(
    limit: int, fitting: int, streams: int
) -> None:
    assert share_files(limit, 5000) == (fitting, streams)
    assert share_files(limit, 10) == (10, min(streams, 10 + SPARE_STREAMS))


async def test_where_files_are_so_few_that_nobody_could_be_served_it_does_not_start() -> None:
    for limit in (1, 40, MIN_FILES - 1):
        with pytest.raises(InputError, match=f"allows {limit} open files.* 64 or more; raise"):
            share_files(limit, 5000)
    command = limited_relay("-n 40")
    with trio.fail_after(WITHIN):
        done = await trio.run_process(command, capture_stderr=True, check=False, env=STRICT)
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("python -m imgsync.relay: the system allows 40 open files, and a relay")


async def test_too_few_files_are_a_warning_and_fewer_connections_instead_of_a_crash() -> None:
    fitting = 48
    async with open_relay(*limited_relay("-n 128")) as (child, port):
        async with AsyncExitStack() as stack:
            for number in range(fitting):
                await stack.enter_async_context(open_peer(port, f"c{number}"))
            for _ in range(2):
                async with open_peer(port) as late:
                    assert (await late.wait_close()).code == 1013
            assert (await get(port, "/health"))[0] == 200
            assert (await scrape(port))["connections",] == fitting
        said = child.read_errors().splitlines()
        [warning] = [line for line in said if " WARNING " in line]
    assert warning.endswith(
        "the system allows 128 open files, which is enough for 48 connections and not for 5000;"
        " raise its limit (ulimit -n, LimitNOFILE=)"
    )


async def test_a_limit_of_files_that_may_be_raised_is_raised() -> None:
    async with open_relay(*limited_relay("-S -n 512", "--max-connections", "300")) as (child, _):
        soft, _ = resource.prlimit(child.process.pid, resource.RLIMIT_NOFILE)
        assert soft >= 300 + 256
        assert child.read_errors() == ""


@asynccontextmanager
async def open_relay(*command: str) -> AsyncIterator[tuple[Child, int]]:
    """Its process and its port; it has to end as a relay should."""
    with trio.fail_after(WITHIN):
        async with open_child("relay", *command, env=STRICT) as child:
            line = await child.wait_line(START_S)
            assert line.startswith(LISTENING)
            yield child, int(line.rpartition(":")[2].removesuffix("/ws"))
            child.process.terminate()
            assert await child.wait_exit() == 0
