"""Command lines of ours on loopback, and what comes of them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from imgsync import ImageRef
from tests.kit.processes import JSON, STRICT, Outcome

LOOPBACK = "127.0.0.1"

HERE = ("--ice-address", LOOPBACK)

END_S = 8
"""How soon a command ends in good order, with a peer that takes no part in it."""

NOBODY = ImageRef(0, "http://127.0.0.1:9/a.png", "http://127.0.0.1:9/a.png?signature=x", "a.png")
"""An image that nobody serves."""


def imgsync(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "imgsync", *words)


def client(url: str, user: str, *options: str) -> tuple[str, ...]:
    return imgsync("client", "--relay", url, "--user", user, *options)


def evaluator(url: str, client_id: str, *options: str) -> tuple[str, ...]:
    who = ("--user", f"evaluator-of-{client_id}", "--client", client_id)
    return imgsync("evaluator", "--relay", url, *who, *options)


def events(lines: list[str]) -> list[JSON]:
    return [json.loads(line) for line in lines]


def named(name: str, messages: list[JSON]) -> list[JSON]:
    return [message for message in messages if message["event"] == name]


def assert_one_complaint(name: str, outcome: Outcome) -> str:
    """Returns it."""
    assert len(outcome.errors) == 1, (name, outcome.errors)
    assert outcome.code == 1, (name, outcome.code)
    return outcome.errors[0]


def env_with_site(folder: Path, code: str) -> dict[str, str]:
    """An environment in which Python runs this code before anything else."""
    (folder / "sitecustomize.py").write_text(code)
    return STRICT | {"PYTHONPATH": f"{folder}{os.pathsep}{STRICT['PYTHONPATH']}"}


#: What imports look like where a package is not installed, or where a signal comes in the middle.
FINDER = """
import os, signal, sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == {name!r}:
            {act}
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""
