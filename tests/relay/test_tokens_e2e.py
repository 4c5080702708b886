"""Tokens from their making to the end of a session, by the commands that people use."""

import shutil
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import attrs
import pytest

from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import mint_token
from tests.kit.forks import open_fork, run_fork_to_end
from tests.kit.processes import (
    LISTENING,
    SAMPLES,
    START_S,
    STRICT,
    Child,
    Job,
    our_relay,
    run_together,
)

SECRET = "0123456789abcdef" * 2

ENVIRONMENT = {name: value for name, value in STRICT.items() if name != "IMGSYNC_TOKEN"}

LOOPBACK = ("--ice-address", "127.0.0.1")


@attrs.frozen
class Place:
    """A relay that asks for tokens, and files."""

    url: str
    secret: Path
    images: Path
    relay: Child

    def client(self, *options: str) -> tuple[str, ...]:
        who = ("--relay", self.url, "--user", "patient-7")
        return (sys.executable, "-m", "imgsync.client", *who, *LOOPBACK, "--once", *options)

    def evaluator(self, *options: str) -> tuple[str, ...]:
        who = ("--relay", self.url, "--user", "dr-lee", "--client", "patient-7")
        command = (sys.executable, "-m", "imgsync.evaluator", *who, *LOOPBACK)
        return (*command, "--every", "0.05", *options, str(self.images))

    def minting(self, user: str, role: str) -> Job:
        """The command that makes a token."""
        who = ("--user", user, "--role", role, "--ttl", "1h", "--secret-file", str(self.secret))
        command = (sys.executable, "-m", "imgsync", "token", *who)
        return partial(run_fork_to_end, f"token of {user}", *command, env=ENVIRONMENT)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    secret, images = tmp_path / "secret", tmp_path / "images"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    images.mkdir()
    for name in ("1-fixation-cross.png", "9-blank.png"):
        shutil.copy(SAMPLES / name, images)
    async with open_fork(
        "relay", *our_relay("--auth-secret-file", str(secret)), env=STRICT
    ) as relay:
        line = await relay.wait_line(START_S)
        assert line.startswith(LISTENING)
        yield Place(line.removeprefix(LISTENING), secret, images, relay)


@pytest.mark.parametrize("way", ["the flag", "the environment"])
async def test_two_peers_with_tokens_have_a_session(place: Place, tmp_path: Path, way: str) -> None:
    made = await run_together(
        {
            "client": place.minting("patient-7", "client"),
            "evaluator": place.minting("dr-lee", "evaluator"),
        }
    )
    tokens: dict[str, str] = {}
    for name, outcome in made.items():
        assert (outcome.code, outcome.errors) == (0, [])
        [tokens[name]] = outcome.lines
    file, saved = tmp_path / "token", tmp_path / "saved"
    file.write_text(tokens["client"] + "\n")
    options = ("--token-file", str(file), "--save", str(saved), "--json")
    if way == "the flag":
        show, environment = place.evaluator("--token", tokens["evaluator"]), ENVIRONMENT
    else:
        show, environment = place.evaluator(), ENVIRONMENT | {"IMGSYNC_TOKEN": tokens["evaluator"]}
    async with open_fork("client", *place.client(*options), env=ENVIRONMENT) as following:
        await following.wait_event("registered")
        shown = await run_fork_to_end("evaluator", *show, env=environment)
        followed = await following.wait_outcome()
    assert (shown.code, shown.errors) == (0, [])
    assert (followed.code, followed.errors) == (0, [])
    assert shown.lines[-1].startswith("2 images sent, 0 shown, 2 acked")
    assert len(list(saved.iterdir())) == 2
    assert [token for token in tokens.values() if token in place.relay.read_errors()] == []


async def test_who_has_no_valid_token_fails_in_one_line_that_says_what_to_do(place: Place) -> None:
    def expired(user: str, role: Role) -> str:
        return mint_token(SECRET.encode(), Claims(user, role), -1)

    by_flag = ("--token", expired("patient-7", Role.CLIENT))
    by_environment = {"IMGSYNC_TOKEN": expired("dr-lee", Role.EVALUATOR)}
    commands = {
        "client without": (place.client(), {}),
        "evaluator without": (place.evaluator(), {}),
        "client with an expired one": (place.client(*by_flag), {}),
        "evaluator with an expired one": (place.evaluator(), by_environment),
    }
    outcomes = await run_together(
        {
            name: partial(run_fork_to_end, name, *words, env=ENVIRONMENT | more)
            for name, (words, more) in commands.items()
        }
    )
    for name, outcome in outcomes.items():
        assert (outcome.code, outcome.lines) == (1, []), name
        [line] = outcome.errors
        command, _, why = line.partition(": the relay refused to register us: ")
        assert command == f"python -m imgsync.{name.split()[0]}"
        if "expired" in name:
            assert why.startswith("the token has expired; ask for a new one")
        else:
            assert why.endswith("(it is given with --token-file, --token or IMGSYNC_TOKEN)")
