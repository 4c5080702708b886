"""A real Redis for tests, which keeps nothing on disk; gone when the block is left."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import pytest

from tests.kit.ports import find_free_port

HERE = "127.0.0.1"

START_S = 30

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


@attrs.frozen
class Redis:
    """A server that runs.

    :param login: what `redis-cli` needs to be let in.
    """

    process: subprocess.Popen[bytes]
    port: int
    login: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"redis://{HERE}:{self.port}"

    def freeze(self) -> None:
        """Have it do nothing any more, with all of its connections open."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def call(self, *words: object) -> list[str]:
        """What it answers to a command, line by line."""
        command = ["redis-cli", "-p", str(self.port), *self.login, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=START_S)
        return done.stdout.splitlines()

    def flush(self) -> None:
        """Empty it, as `call` would, without a process."""
        with socket.create_connection((HERE, self.port), START_S) as stream:
            stream.sendall(b"FLUSHALL\r\n")
            assert stream.recv(100) == b"+OK\r\n"

    def count(self, command: str) -> int:
        """How often a command was called, from scripts, too."""
        for line in self.call("INFO", "commandstats"):
            if line.startswith(f"cmdstat_{command}:calls="):
                return int(line.partition("=")[2].partition(",")[0])
        return 0


@contextmanager
def run_redis(*options: object, port: int = 0, login: tuple[str, ...] = ()) -> Iterator[Redis]:
    """A server that answers.

    :param options: as on its command line.
    :param port: one that is free by default.
    """
    port = port or find_free_port()
    with tempfile.TemporaryDirectory() as folder:
        usual = ["--port", port, "--bind", HERE, "--save", "", "--dir", folder]
        command = ["redis-server", *map(str, [*usual, *options])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if b"Ready to accept connections" in line:
                    break
            else:
                raise AssertionError(b"".join(lines).decode())
            yield Redis(process, port, login)
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.communicate()
