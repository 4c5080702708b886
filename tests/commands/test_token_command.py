"""`imgsync token` as people and scripts use it: a process, its output and its end."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from functools import partial
from pathlib import Path

import jwt
import pytest
import trio

from imgsync.commands.token import main
from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import read_secret, token_reader
from tests.kit.forks import open_fork, run_fork_to_end
from tests.kit.processes import (
    EXIT_S,
    SESSION_S,
    START_S,
    STRICT,
    Outcome,
    run_to_end,
    run_together,
)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "relay.secret"
    path.write_text("0123456789abcdef" * 4 + "\n")
    path.chmod(0o600)
    return path


def token(*options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "imgsync", "token", *options)


def for_client(secret: Path, *options: str, ttl: str = "2h") -> tuple[str, ...]:
    who = ("--user", "patient-7", "--role", "client", "--ttl", ttl)
    return token("--secret-file", str(secret), *who, *options)


async def run_all(lines: dict[str, tuple[str, ...]]) -> dict[str, Outcome]:
    return await run_together(
        {name: partial(run_fork_to_end, name, *words, env=STRICT) for name, words in lines.items()}
    )


async def test_it_prints_one_line_that_a_relay_with_this_secret_takes(secret_file: Path) -> None:
    outcomes = await run_all(
        {
            "plain": for_client(secret_file),
            "named": for_client(secret_file, "--name", "Zoë"),
            "evaluator": token(
                *("--ttl", "7d", "--role", "evaluator"),
                *("--user", "dr-lee", "--secret-file", str(secret_file)),
            ),
            "in a group": for_client(secret_file, "--group", "ward 3"),
        }
    )
    read = token_reader(read_secret(secret_file))
    said = {}
    for name, outcome in outcomes.items():
        assert (outcome.code, outcome.errors) == (0, [])
        [line] = outcome.lines
        assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", line, re.ASCII)
        said[name] = read(line)
    assert said == {
        "plain": Claims("patient-7", Role.CLIENT),
        "named": Claims("patient-7", Role.CLIENT, "Zoë"),
        "evaluator": Claims("dr-lee", Role.EVALUATOR),
        "in a group": Claims("patient-7", Role.CLIENT, group="ward 3"),
    }


@pytest.mark.parametrize(
    ("words", "group", "clients"),
    [
        ("", None, None),
        ("--group A", "A", None),
        ("--client carl", None, {"carl"}),
        ("--client carl --group A --client cleo --client carl", "A", {"carl", "cleo"}),
    ],
)
def test_an_evaluator_sees_whom_the_options_say(
    secret_file: Path,
    capsys: pytest.CaptureFixture[str],
    words: str,
    group: str | None,
    clients: set[str] | None,
) -> None:
    who = ["--user", "dr-lee", "--role", "evaluator", "--ttl", "1h"]
    assert main(["--secret-file", str(secret_file), *who, *words.split()]) == 0
    read = token_reader(read_secret(secret_file))(capsys.readouterr().out.rstrip("\n"))
    assert (read.group, read.clients) == (group, clients)


def test_an_evaluator_may_invite_for_as_long_as_the_option_says(
    secret_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    who = ["--user", "dr-lee", "--role", "evaluator", "--ttl", "1h", "--invites", "7d"]
    assert main(["--secret-file", str(secret_file), *who]) == 0
    read = token_reader(read_secret(secret_file))(capsys.readouterr().out.rstrip("\n"))
    assert read == Claims("dr-lee", Role.EVALUATOR, invites=604_800)


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800), ("999999d", 86_399_913_600)],
)
def test_a_time_to_live_is_a_number_and_its_unit(
    secret_file: Path, capsys: pytest.CaptureFixture[str], ttl: str, seconds: int
) -> None:
    before = time.time()
    assert main(for_client(secret_file, ttl=ttl)[4:]) == 0
    printed = capsys.readouterr().out
    claims = jwt.decode(printed.rstrip("\n"), read_secret(secret_file), algorithms=["HS256"])
    assert before + seconds <= claims["exp"] <= time.time() + seconds + 1


@pytest.mark.parametrize(
    "ttl",
    [
        *("", "2", "h", "2 h", "2hours", "2H", "1.5h", "-2h", "+2h", "0s", "007d", "2h30m", "1w"),
        *("1e3s", "1_000s", "1000000s", "²h", "٣h", "2h\n", "inf"),
    ],
)
def test_any_other_time_to_live_is_a_usage_error_with_an_example(
    secret_file: Path, capsys: pytest.CaptureFixture[str], ttl: str
) -> None:
    words = [*for_client(secret_file)[4:-1], "--ttl=" + ttl]
    words.remove("--ttl")
    with pytest.raises(SystemExit) as exit:
        main(words)
    assert exit.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith(
        f"argument --ttl: {ttl!r} is no time to live; write a number and s, m, h or d, such as 2h\n"
    )


async def test_wrong_flags_are_usage_errors_that_print_no_token(secret_file: Path) -> None:
    whole = for_client(secret_file)
    outcomes = await run_all(
        {
            "--ttl": for_client(secret_file, ttl="2 hours"),
            "--role": (*whole, "--role", "admin"),
            "--secret-file": token(*whole[6:]),
            "--user": (*whole[:6], *whole[8:]),
            "--admin": (*whole, "--admin"),
            "--client": (*whole, "--client", "carl"),
            "--invites": (*whole, "--invites", "1h"),
        }
    )
    for flag, outcome in outcomes.items():
        assert (outcome.code, outcome.lines) == (2, []), flag
        assert outcome.errors[0].startswith("usage: imgsync token ")
        assert outcome.errors[-1].startswith("imgsync token: error: ")
        assert flag in outcome.errors[-1]


async def test_what_can_not_be_used_is_told_in_one_line_that_says_what_to_do(
    secret_file: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short"
    short.write_text("too short")
    gone = tmp_path / "gone"
    who = ("--role", "client", "--ttl", "2h", "--secret-file", str(secret_file))
    outcomes = await run_all(
        {
            "gone": for_client(gone),
            "short": for_client(short),
            "folder": for_client(tmp_path),
            "user": token("--user", "", *who),
            "name": token("--user", "c", "--name", "x" * 129, *who),
            "group": token("--user", "c", "--group", "", *who),
            "clients": token(
                *("--user", "e", *who, "--role", "evaluator"),
                *(word for number in range(600) for word in ("--client", f"patient-{number}")),
            ),
        }
    )
    expected = {
        "gone": rf"there is no secret file '{gone}'; .* \(umask 077; openssl rand .* > {gone}\)",
        "short": r".* has 9 bytes and needs 32 or more; use what this prints: openssl rand -hex 32",
        "folder": r"can't read the secret file .*: Is a directory; name another one",
        "user": r"no token can say this \(claims\.sub: expected 1 to .*",
        "name": r"no token can say this \(claims\.name: expected at most .*",
        "group": r"no token can say this \(claims\.group: expected 1 to .*",
        "clients": r"a token that says this has \d+ characters, and .*; name fewer clients, or .*",
    }
    for name, outcome in outcomes.items():
        assert (outcome.code, outcome.lines) == (1, []), name
        [complaint] = outcome.errors
        assert re.fullmatch(f"imgsync token: {expected[name]}", complaint)


async def test_the_advice_for_a_missing_secret_makes_one_that_works(tmp_path: Path) -> None:
    path = tmp_path / "it's new"
    [complaint] = (await run_fork_to_end("token", *for_client(path), env=STRICT)).errors
    advice = re.search(r"\(umask.*\)$", complaint)
    assert advice is not None
    # As if by openssl, which need not be here.
    openssl = "openssl() { head -c $3 /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; echo; }"
    made = await run_to_end("shell", "sh", "-c", f"{openssl}\n{advice[0]}")
    assert made == Outcome(0, [], [])
    outcome = await run_fork_to_end("token", *for_client(path), env=STRICT)
    assert (outcome.code, len(outcome.lines), outcome.errors) == (0, 1, [])


async def test_help_names_every_flag_and_the_overview_names_the_command() -> None:
    outcomes = await run_all(
        {"token": token("--help"), "imgsync": (sys.executable, "-m", "imgsync", "--help")}
    )
    assert all(outcome.code == 0 and outcome.errors == [] for outcome in outcomes.values())
    text = "\n".join(outcomes["token"].lines)
    for flag in (
        "--secret-file",
        "--user",
        "--role",
        "--ttl",
        "--name",
        "--group",
        "--client",
        "--invites",
        "90s, 30m",
    ):
        assert flag in text
    assert any(line.startswith("  token ") for line in outcomes["imgsync"].lines)


async def test_ctrl_c_ends_the_wait_for_a_secret_from_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with open_fork("token", *for_client(pipe), env=STRICT) as child:
        # Opens as soon as the other end is open, too; then nothing is written.
        with trio.fail_after(START_S):
            writer = await trio.to_thread.run_sync(partial(os.open, pipe, os.O_WRONLY))
        try:
            child.process.send_signal(signal.SIGINT)
            outcome = await child.wait_outcome(EXIT_S)
        finally:
            os.close(writer)
    assert outcome == Outcome(130, [], [])


async def test_a_secret_can_come_through_a_pipe(secret_file: Path) -> None:
    words = for_client(Path("/dev/stdin"))
    outcome = await run_to_end(
        "token", "sh", "-c", f'cat {secret_file} | "$@"', "sh", *words, env=STRICT
    )
    assert (outcome.code, len(outcome.lines), outcome.errors) == (0, 1, [])


async def test_without_pyjwt_the_extra_that_brings_it_is_named(
    secret_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['jwt'] = None\n")
    env = STRICT | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{STRICT['PYTHONPATH']}"}
    outcome = await run_to_end("token", *for_client(secret_file), env=env, seconds=SESSION_S)
    assert (outcome.code, outcome.lines) == (1, [])
    [complaint] = outcome.errors
    assert re.fullmatch(
        r"imgsync token: .*PyJWT; install it with: pip install .*'pyjwt>=.*", complaint
    )
