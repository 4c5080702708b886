"""`imgsync invite`: the link, its QR code on terminals of all kinds, and as pictures."""

from __future__ import annotations

import json
import re
import stat
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from imgsync.commands.invite.code import Code, Style
from imgsync.commands.invite.main import main
from imgsync.commands.invite.page import languages, page_beside
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.invitation import make_link
from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import read_secret, token_reader
from tests.kit.command_lines import FINDER, env_with_site, imgsync
from tests.kit.processes import STRICT, run_to_end
from tests.kit.qr_codes import read_code, read_fields, read_halves
from tests.kit.terminals import Terminal, open_terminal

RELAY = "wss://relay.example.org/ws"

USERS = ["patient-7", "Zoë Müller", "a&b=c", "#1", "1+1", "50%", "a/b?c", "a'b(c)!*~", "田中", "😀"]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "relay.secret"
    path.write_text("0123456789abcdef" * 4 + "\n")
    path.chmod(0o600)
    return path


def invite(*options: str, relay: str = RELAY, user: str = "patient-7") -> list[str]:
    return ["--relay", relay, "--user", user, *options]


def link_of(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    """The one line that it prints where nobody looks."""
    assert main(words) == 0
    [line] = capsys.readouterr().out.splitlines()
    return line


# ── the link ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("user", USERS)
def test_a_link_names_its_user_to_a_page_whatever_the_name_is(
    user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    link = link_of(capsys, invite("--lang", "de", user=user))
    # Nothing in it that a program for mail may take for its end, or a shell for something else.
    assert re.fullmatch(r"https://relay\.example\.org/client\?[\w.~%&=-]+", link, re.ASCII)
    assert parse_qs(urlsplit(link).query) == {"user": [user], "lang": ["de"]}


@pytest.mark.parametrize(
    ("relay", "page"),
    [
        ("ws://192.168.1.4:8765/ws", "http://192.168.1.4:8765/client"),
        ("ws://h/ws", "http://h/client"),
        ("ws://h:80/ws", "http://h/client"),
        ("ws://h:443/ws", "http://h:443/client"),
        ("wss://h:443/ws", "https://h/client"),
        ("wss://h:8443/ws", "https://h:8443/client"),
        ("wss://h/imgsync/ws", "https://h/imgsync/client"),
        ("wss://h/a%20b/c/ws", "https://h/a%20b/c/client"),
        ("wss://h/ws?token=hidden", "https://h/client"),
        ("ws://[2001:db8::7]:8765/ws", "http://[2001:db8::7]:8765/client"),
        ("wss://[2001:db8::7]/ws", "https://[2001:db8::7]/client"),
        ("ws://[fe80::1%25eth0]:8765/ws", "http://[fe80::1]:8765/client"),
        ("wss://bücher.example:8443/ws", "https://xn--bcher-kva.example:8443/client"),
    ],
)
def test_the_page_is_beside_the_relay(relay: str, page: str) -> None:
    assert page_beside(relay) == page


@pytest.mark.parametrize(
    "relay", ["ws://h", "ws://h/", "ws://h/ws/", "wss://h/client", "ws://h/aws"]
)
def test_where_no_page_can_be_the_url_is_refused(
    relay: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(invite(relay=relay)) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "does not end in /ws" in told.err


def test_what_is_recorded_is_in_the_link_in_one_order(capsys: pytest.CaptureFixture[str]) -> None:
    link = link_of(capsys, invite("--record", "microphone,camera"))
    assert link.endswith("?user=patient-7&record=camera,microphone")


def test_nothing_secret_stands_before_the_fragment_and_the_token_lets_one_client_in_for_its_time(
    secret_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--ttl", "30m", "--name", "Zoë", "--group", "ward 3")
    before = time.time()
    link = link_of(capsys, invite("--secret-file", str(secret_file), *given))
    shown, _, hidden = link.partition("#")
    assert shown == "https://relay.example.org/client?user=patient-7"
    [token] = parse_qs(hidden)["token"]
    claims = token_reader(read_secret(secret_file))(token)
    assert claims == Claims("patient-7", Role.CLIENT, "Zoë", "ward 3")
    assert before + 1800 <= claims.expires_at <= time.time() + 1801


def test_a_program_is_told_link_and_end_and_the_usual_time_is_two_hours(
    secret_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = time.time()
    told = json.loads(link_of(capsys, invite("--secret-file", str(secret_file), "--json")))
    claims = token_reader(read_secret(secret_file))(told["link"].partition("#token=")[2])
    assert told == {
        "event": "invitation",
        "user": "patient-7",
        "link": told["link"],
        "expiresAt": 1000 * claims.expires_at,
    }
    assert before + 7200 <= claims.expires_at <= time.time() + 7201
    without = json.loads(link_of(capsys, invite("--json")))
    assert without == {
        "event": "invitation",
        "user": "patient-7",
        "link": "https://relay.example.org/client?user=patient-7",
    }


# ── what is refused, and what is warned of ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--ttl", "2 hours"], "'2 hours' is no time to live"),
        (["--ttl", "2h"], "--ttl stands in the token, which takes --secret-file"),
        (["--name", "N"], "--name stands in the token"),
        (["--group", "G"], "--group stands in the token"),
        (["--record", "screen"], "'screen' is none of camera, microphone"),
        (["--record", ""], "'' is none of camera"),
        (["--lang", "tlh"], f"the pages don't speak 'tlh'; they speak {', '.join(languages())}"),
        (["--lang", "de&token=x"], "the pages don't speak 'de&token=x'"),
        (["--lang", "../de"], "the pages don't speak '../de'"),
    ],
)
def test_wrong_options_are_usage_errors(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main(invite(*words))
    assert exit.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert complaint in told.err


@pytest.mark.parametrize(
    ("options", "user", "complaint"),
    [
        ((), "", r"invitation\.user: expected 1 to 128 characters"),
        ((), "x" * 129, r"invitation\.user: expected at most 128 characters"),
        ((), "a\nb", r"invitation\.user: expected printable characters only"),
        ((), "\udcff", r"invitation\.user: expected Unicode text"),
        (("--group", ""), "p", r"invitation\.group: expected 1 to 128 characters"),
    ],
)
def test_who_no_relay_takes_is_refused_in_one_line(
    options: tuple[str, ...],
    user: str,
    complaint: str,
    secret_file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(invite("--secret-file", str(secret_file), *options, user=user)) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(
        rf"imgsync invite: no relay takes this \({complaint}\); choose another value\n", told.err
    )


@pytest.mark.parametrize(
    ("relay", "warning"),
    [
        ("ws://192.168.1.4:8765/ws", "the link is not https"),
        ("ws://relay.example.org/ws", "the link is not https"),
        ("wss://relay.example.org/ws", None),
        ("ws://127.0.0.1:8765/ws", "leads to this machine itself"),
        ("ws://[::1]:8765/ws", "leads to this machine itself"),
        ("wss://localhost/ws", "leads to this machine itself"),
        ("ws://0.0.0.0:8765/ws", "0.0.0.0 is where the relay listens"),
        ("ws://[::]:8765/ws", ":: is where the relay listens"),
    ],
)
def test_what_will_be_in_the_way_is_warned_of(
    relay: str, warning: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert main(invite(relay=relay)) == 0
    assert [warning in record.message for record in caplog.records if warning] == (
        [] if warning is None else [True]
    )
    assert warning is not None or not caplog.records


# ── on a terminal ────────────────────────────────────────────────────────────────────────────────

NO_TERM = {name: value for name, value in STRICT.items() if name not in ("TERM", "NO_COLOR")}


def code_lines(terminal: Terminal, marks: str) -> list[str]:
    return [line for line in terminal.screen.lines if line and set(line) <= set(marks)]


def test_a_terminal_shows_the_link_its_code_in_colours_of_its_own_and_when_it_ends(
    secret_file: Path,
) -> None:
    words = invite("--secret-file", str(secret_file), user="Zoë")
    env = {"TERM": "xterm-256color", "PYTHONUTF8": "1", "TZ": "IST-05:30"}
    with open_terminal(imgsync("invite", *words), {**NO_TERM, **env}, 80) as terminal:
        assert terminal.wait_exit() == 0
    link, *_, last, _ = terminal.screen.lines
    drawn = code_lines(terminal, " ▀▄█")
    assert max(map(len, drawn)) <= 80
    assert read_halves(drawn, drawn=0) == link
    # Each line says both colours, and takes them back.
    assert terminal.screen.codes == ["\x1b[38;5;16;48;5;231m", "\x1b[0m"] * len(drawn)
    claims = token_reader(read_secret(secret_file))(link.partition("#token=")[2])
    end = datetime.fromtimestamp(claims.expires_at, timezone(timedelta(hours=5, minutes=30)))
    assert last == (
        f"It lets Zoë in until {end:%H:%M} IST on {end:%A %d %B %Y}."
        " Whoever has it can come in as that one person: send it to nobody else."
    )


PLAIN = [
    # A reader takes it where it is drawn in light: the terminal is dark.
    Style(80, has_colours=False, has_blocks=True),
    Style(200, has_colours=False, has_blocks=False),
    Style(200, has_colours=True, has_blocks=False),
    Style(80, has_colours=True, has_blocks=True),
]


def read_lines(lines: list[str], style: Style) -> str:
    if style.has_blocks:
        bare = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
        return read_halves(bare, drawn=0 if style.has_colours else 255)
    if not style.has_colours:
        return read_fields(lines, lambda field: field == "  ")
    marked = [
        re.sub(r"\x1b\[48;5;(\d+)m  ", lambda found: "##" if found[1] == "16" else "..", line)
        for line in lines
    ]
    return read_fields([line.removesuffix("\x1b[0m") for line in marked], lambda one: one == "##")


@pytest.mark.parametrize("style", PLAIN, ids=str)
def test_each_kind_of_terminal_shows_a_code_that_is_read(style: Style) -> None:
    for length in (1, 40, 205):
        link = make_link("https://relay.example.org/client", "patient-7", token="x" * length)
        lines = Code(link).lines(style)
        assert lines is not None
        assert read_lines(lines, style) == link


@pytest.mark.parametrize(
    ("encoding", "environ", "expected"),
    [
        ("utf-8", {"TERM": "xterm"}, (True, True)),
        ("utf-8", {"TERM": "dumb"}, (False, True)),
        ("utf-8", {"TERM": "xterm", "NO_COLOR": "1"}, (False, True)),
        ("cp437", {"TERM": "xterm"}, (True, True)),
        ("ascii", {"TERM": "xterm"}, (True, False)),
        ("iso-8859-1", {"TERM": "xterm"}, (True, False)),
        ("no-such-encoding", {"TERM": "xterm"}, (True, False)),
        (None, {"TERM": "xterm"}, (True, False)),
    ],
)
def test_what_a_terminal_can_do_is_told_by_its_environment(
    encoding: str | None, environ: dict[str, str], expected: tuple[bool, bool]
) -> None:
    style = Style.of(encoding, 80, environ)
    assert (style.has_colours, style.has_blocks) == expected


def test_a_code_with_a_token_fits_into_80_columns_and_one_that_does_not_is_had_as_a_picture(
    secret_file: Path,
) -> None:
    env = {**NO_TERM, "TERM": "xterm", "PYTHONUTF8": "1"}
    long = invite("--secret-file", str(secret_file), user="ä" * 128)
    with open_terminal(imgsync("invite", *long), env, 80) as terminal:
        assert terminal.wait_exit() == 0
    assert code_lines(terminal, " ▀▄█") == []
    assert (
        "(The QR code does not fit into 80 columns; widen the terminal, or have a picture of it"
        " with --svg or --png.)"
    ) in terminal.screen.lines


# ── as a picture ─────────────────────────────────────────────────────────────────────────────────


def test_a_picture_is_read_and_nobody_else_can_read_its_file(
    tmp_path: Path, secret_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    png, svg = tmp_path / "code.png", tmp_path / "code.svg"
    words = invite("--secret-file", str(secret_file), "--png", str(png), "--svg", str(svg))
    link = link_of(capsys, words)
    assert read_code(png.read_bytes()) == link
    assert read_lines_of(svg.read_text()) == link
    for path in (png, svg):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def read_lines_of(svg: str) -> str:
    """What a picture says whose dark modules are strokes: `M4 4.5h7m2 0h1m-10 1h3`."""
    assert re.search(r'<path[^>]* fill="#fff"', svg)
    size = int(re.findall(r'width="(\d+)"', svg)[0]) // 4
    rows = [["  "] * size for _ in range(size)]
    [strokes] = re.findall(r'stroke="#000"[^>]* d="M([^"]+)"', svg)
    x, y = 0, -1
    for move, width in re.findall(r"([\d. -]+)h(\d+)", strokes):
        across, down = (float(part) for part in move.split())
        x, y = int(x + across), int(y + 1 + down) if y < 0 else int(y + down)
        for at in range(x, x + int(width)):
            rows[y][at] = "##"
        x += int(width)
    return read_fields(["".join(row) for row in rows], lambda field: field == "##")


def test_where_a_picture_can_not_be_written_the_link_is_told_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(invite("--png", str(tmp_path / "gone" / "code.png"))) == 1
    told = capsys.readouterr()
    assert told.out == "https://relay.example.org/client?user=patient-7\n"
    assert re.fullmatch(
        r"imgsync invite: can't write '.*code\.png': No such file or directory;"
        r" name another file with --png\n",
        told.err,
    )


def test_a_link_that_no_code_can_hold_is_told_all_the_same(
    tmp_path: Path, secret_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("--name", "é" * 128, "--group", "ß" * 128)
    words = invite("--secret-file", str(secret_file), *names, user="漢" * 128)
    assert main([*words, "--png", str(tmp_path / "code.png")]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("https://relay.example.org/client?user=%E6%BC%A2")
    assert "no QR code can hold a link of" in told.err
    with pytest.raises(InputError, match="name a shorter"):
        Code("x" * 3000)


async def test_without_segno_the_link_is_there_and_the_package_is_named(tmp_path: Path) -> None:
    act = "raise ImportError(name)"
    env = env_with_site(tmp_path, FINDER.format(name="segno", act=act))
    words = (sys.executable, "-m", "imgsync", "invite", *invite())
    link = "https://relay.example.org/client?user=patient-7"
    plain = await run_to_end("invite", *words, env=env)
    assert (plain.code, plain.lines, plain.errors) == (0, [link], [])
    drawn = await run_to_end("invite", *words, "--png", str(tmp_path / "a.png"), env=env)
    assert (drawn.code, drawn.lines) == (1, [link])
    [complaint] = drawn.errors
    assert re.fullmatch(
        r"imgsync invite: QR codes are made with segno; install it with: pip install .*segno.*",
        complaint,
    )
    with open_terminal(words, {**env, "TERM": "xterm"}, 200) as terminal:
        assert terminal.wait_exit() == 0
    assert terminal.screen.lines[0] == link
    assert any("QR codes are made with segno" in line for line in terminal.screen.lines)
