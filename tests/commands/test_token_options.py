"""Where evaluator and client are told their token: two flags and a variable of the environment."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import pytest

from imgsync.commands.common import add_peer_options, token_of
from imgsync.peer.token_source import TokenSource, read_token
from tests.kit.forks import run_fork_to_end
from tests.kit.processes import SAMPLES, STRICT, run_together

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjIn0.c2lnbmF0dXJl"


def source_of(*words: str) -> TokenSource:
    parser = argparse.ArgumentParser()
    add_peer_options(parser)
    return token_of(parser.parse_args(["--relay", "ws://h/ws", "--user", "u", *words]))


def token_by(*words: str) -> str | None:
    return read_token(source_of(*words))


def test_the_flags_go_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text("of the file\n")
    monkeypatch.delenv("IMGSYNC_TOKEN", raising=False)
    assert token_by() is None
    assert token_by("--token", "of the flag") == "of the flag"
    assert token_by("--token-file", str(path)) == "of the file"
    monkeypatch.setenv("IMGSYNC_TOKEN", "of the environment")
    assert token_by() == "of the environment"
    assert token_by("--token", "of the flag") == "of the flag"
    assert token_by("--token-file", str(path)) == "of the file"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", " "):
        monkeypatch.setenv("IMGSYNC_TOKEN", value)
        assert token_by() is None


def test_the_file_of_the_flag_is_read_when_it_is_needed_and_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = source_of("--token-file", str(path))
    for text in ("one", "two"):
        path.write_text(text)
        assert read_token(source) == text


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--token", TOKEN, "--token-file", "f"), "--token-file: not allowed with .* --token"),
        (("--token-file", "f", "--token", TOKEN), "--token: not allowed with .* --token-file"),
        (("--token", ""), "--token: the token is empty; leave the option out if there is none"),
        (("--token", " "), "--token: the token is empty; leave the option out if there is none"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors_without_the_token(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(SystemExit) as exit:
        source_of(*words)
    assert exit.value.code == 2
    errors = capsys.readouterr().err
    assert pytest.raises(ValueError, match=f"argument {complaint}\n$").matches(ValueError(errors))
    assert TOKEN not in errors


def test_help_warns_of_the_list_of_processes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        source_of("--help")
    assert exit.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--token T" in text
    assert "see it in the list of processes, so rather set IMGSYNC_TOKEN or use --token-f" in text


async def test_both_commands_tell_a_missing_token_file_in_one_line(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    peer = ("--relay", "ws://127.0.0.1:9/ws", "--user", "u", "--token-file", missing)
    lines = {
        "evaluator": ("evaluator", *peer, "--client", "c", str(SAMPLES)),
        "client": ("client", *peer),
    }
    outcomes = await run_together(
        {
            name: partial(
                run_fork_to_end, name, sys.executable, "-m", "imgsync", *words, env=STRICT
            )
            for name, words in lines.items()
        }
    )
    for name, outcome in outcomes.items():
        assert (outcome.code, outcome.lines) == (1, [])
        assert outcome.errors == [
            f"imgsync {name}: can't read the token file '{missing}': No such file or directory;"
            " check --token-file"
        ]
