"""The secret behind the tokens: which files hold one, and what is said of those that don't.

And what is said where PyJWT is not installed.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imgsync.core.protocol.errors import InputError, MissingExtra
from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import MAX_SECRET, mint_token, read_secret, token_reader

SECRET = b"the secret of the relay that these tests are about"


def secret_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "relay.secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_secret_is_what_stands_in_its_file_without_the_end_of_the_line(
    tmp_path: Path, end: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for secret in (b"0123456789abcdef" * 2, SECRET, bytes(range(100, 132)), b" " * 40):
        path = secret_file(tmp_path, secret + end)
        assert read_secret(path) == read_secret(str(path)) == secret
    assert caplog.records == []


def test_a_secret_that_everybody_can_read_is_taken_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_secret(secret_file(tmp_path, SECRET, 0o644)) == SECRET
    [record] = caplog.records
    assert "protect it with chmod 600" in record.getMessage()
    assert SECRET.decode() not in caplog.text


def test_a_missing_secret_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "my secrets" / "s"
    with pytest.raises(InputError) as failure:
        read_secret(path)
    assert str(failure.value) == (
        f"there is no secret file '{path}'; make one that only you can read with:"
        f" (umask 077; openssl rand -hex 32 > '{path}')"
    )


def folder_instead(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda folder: secret_file(folder, b""), "is empty; .*openssl rand"),
        (lambda folder: secret_file(folder, b"\r\n\n"), "is empty; .*openssl rand"),
        (lambda folder: secret_file(folder, b"x" * 31 + b"\n"), "has 31 bytes and needs 32"),
        (lambda folder: secret_file(folder, b"x" * (MAX_SECRET + 1)), "is it the right file"),
        (lambda folder: Path("/dev/zero"), "is it the right file"),
        (folder_instead, "Is a directory; name another one"),
        (lambda folder: Path("a\0b"), "null byte; name another one"),
    ],
)
def test_what_is_no_secret_is_refused_with_what_to_do(
    tmp_path: Path, make: Callable[[Path], Path], why: str
) -> None:
    with pytest.raises(InputError, match=why) as failure:
        read_secret(make(tmp_path))
    assert "\n" not in str(failure.value)
    assert "xxxx" not in str(failure.value)


def test_a_public_key_is_no_secret_because_everybody_has_it() -> None:
    key = b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 64 + b"\n-----END PUBLIC KEY-----"
    for use in (
        lambda: token_reader(key),
        lambda: mint_token(key, Claims("c", Role.CLIENT), 60),
    ):
        with pytest.raises(InputError, match=r"is a public key or a certificate; .*openssl rand"):
            use()


# ── the extra ────────────────────────────────────────────────────────────────────────────────────


def test_without_pyjwt_the_extra_that_brings_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    assert read_secret(secret_file(tmp_path, SECRET)) == SECRET  # TURN has a secret, too
    for use in (
        lambda: token_reader(SECRET),
        lambda: mint_token(SECRET, Claims("c", Role.CLIENT), 60),
    ):
        with pytest.raises(MissingExtra, match=r"PyJWT; .* pip install .*'pyjwt>="):
            use()


def test_pyjwt_is_not_loaded_before_it_is_needed() -> None:
    code = "import imgsync.relay.tokens, sys; print('jwt' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
