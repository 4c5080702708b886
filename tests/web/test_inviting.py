"""A participant comes in by an invitation, from a command or from the console: nothing is given to
its browser but what a QR code says, on a page of the size of a phone, in Chromium and in Firefox.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import mint_token, read_secret, token_reader
from tests.kit.accessible import Accessible, read_axe
from tests.kit.browsers import Browser, Page
from tests.kit.command_lines import imgsync
from tests.kit.console_pages import ConsolePage, console_url
from tests.kit.either_browser import in_either
from tests.kit.forks import shared_relay
from tests.kit.processes import STRICT
from tests.kit.qr_codes import read_code, read_halves
from tests.kit.terminals import open_terminal
from tests.kit.web_pages import RECORDER, ClientPage, end, make_folder, open_command, show

pytestmark = in_either

PHONE = (390, 844)

#: Each tone that the page has made.
TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...given) {
  window.tones += 1;
  return start.apply(this, given);
};
"""

#: Of somebody who comes in. Without a device for sound, Firefox plays none.
TONES_OF = {"chromium": 2, "firefox": 0}


@pytest.fixture(scope="module")
def secret_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("relay") / "secret"
    path.write_text("0123456789abcdef" * 4)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def relay(browser_name: str, secret_file: Path) -> Iterator[str]:
    """One that asks for tokens."""
    with shared_relay("--auth-secret-file", str(secret_file)) as url:
        yield url


def token_of(secret_file: Path, invites: int | None = None, group: str | None = None) -> str:
    claims = Claims("dr-lee", Role.EVALUATOR, group=group, invites=invites)
    return mint_token(read_secret(secret_file), claims, 600)


@asynccontextmanager
async def open_link(browser: Browser, link: str) -> AsyncIterator[ClientPage]:
    """On a phone."""
    async with browser.open_page() as page:
        await page.resize(*PHONE)
        await page.run_early(RECORDER)
        await page.goto(link)
        yield ClientPage(page)


async def tap_ready(client: ClientPage) -> None:
    """What is the participant's to do."""
    where = "document.querySelector('#door-ready')"
    middle = "({ x, y, width, height }) => [x + width / 2, y + height / 2]"
    seen = f"!{where}?.disabled && {where}?.checkVisibility()"
    x, y = await client.page.wait(f"{seen} && ({middle})({where}.getBoundingClientRect())")
    await client.page.tap(x, y)


@asynccontextmanager
async def open_inviting(browser: Browser, relay: str, token: str) -> AsyncIterator[ConsolePage]:
    async with browser.open_page() as page:
        await page.resize(1280, 800)
        await page.run_early(TONES)
        await page.goto(console_url(relay, user="dr-lee") + f"#token={token}")
        console = ConsolePage(page)
        await console.wait_says("connected", "#relay")
        await console.tap("#invite-fold summary")
        yield console


async def fill_in(console: ConsolePage, user: str, **choices: str) -> None:
    """What a person does."""
    page = console.page
    await console.tap("#invite-user")
    await page.run("document.querySelector('#invite-user').value = ''")
    await page.insert(user)
    for name, value in choices.items():
        await page.run(f"document.querySelector('#invite-{name}').value = {value!r}")
    await console.tap("#invite-form button")


async def field(page: Page, id: str) -> str:
    value: str = await page.run(f"document.querySelector('#{id}').value")
    return value


async def see_code(page: Page) -> str:
    """What a camera before the screen reads."""
    where = "document.querySelector('#invitation-code svg')"
    await page.wait(f"({where}?.scrollIntoView({{ block: 'center' }}), {where} !== null)")
    return read_code(await page.screenshot())


# ── from the command ─────────────────────────────────────────────────────────────────────────────


async def test_what_the_command_prints_is_scanned_and_begins_a_session(
    browser: Browser, relay: str, secret_file: Path, tmp_path: Path, browser_name: str
) -> None:
    user, svg = f"Zoë & Co of {browser_name}", tmp_path / "code.svg"
    words = ("--relay", relay, "--user", user, "--secret-file", str(secret_file), "--lang", "en")
    env = {**STRICT, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    command = imgsync("invite", *words, "--svg", str(svg))
    with open_terminal(command, env, 80) as terminal:
        assert terminal.wait_exit() == 0
    drawn = [line for line in terminal.screen.lines if line and set(line) <= set(" ▀▄█")]
    link = read_halves(drawn, drawn=0)
    token = token_of(secret_file)
    options = ("--token", token)
    async with open_link(browser, link) as client:
        await tap_ready(client)
        await client.wait_says("Ready.")
        async with open_command(
            relay, make_folder(tmp_path, 2), client=user, options=("--user", "dr-lee", *options)
        ) as evaluator:
            await show(evaluator, 1)
            await client.wait_stage(1, "shown")
            await end(evaluator)
        await client.wait_says("The session has ended.")
        # The token left the address bar at once.
        assert "token" not in await client.page.run("location.href")
        # The picture for a printer says the same.
        picture = base64.b64encode(svg.read_bytes()).decode()
        await client.page.goto("about:blank")
        await client.page.run("document.body.innerHTML = '<img width=360>', void 0")
        await client.page.run(
            "new Promise((then) => { const image = document.querySelector('img');"
            " image.onload = () => then(true);"
            f" image.src = 'data:image/svg+xml;base64,{picture}'; }})"
        )
        assert read_code(await client.page.screenshot()) == link


# ── from the console ─────────────────────────────────────────────────────────────────────────────


async def test_whom_the_console_invites_is_seen_and_heard_to_come_in(
    browser: Browser, relay: str, secret_file: Path, browser_name: str
) -> None:
    user, heard = f"Zoë of {browser_name}", TONES_OF[browser_name]
    token = token_of(secret_file, invites=3600)
    async with open_inviting(browser, relay, token) as console:
        page = console.page
        await fill_in(console, f"  Zoë  of {browser_name} ", language="de", time="604800")
        await console.wait_says(f"{user} has not come in yet.", "#invitation")
        link = await see_code(page)
        assert link == await field(page, "invitation-link")
        claims = token_reader(read_secret(secret_file))(link.partition("#token=")[2])
        assert claims == Claims(user, Role.CLIENT)
        # For no longer than the evaluator may, which is said.
        await console.wait_says("Your own link lets you invite for no longer.", "#invitation-end")
        await console.wait_says("leads to this very machine", "#invitation-warning")
        mail = await field(page, "invitation-mail")
        assert mail.startswith("Guten Tag,\n\ndies ist")
        assert f"\n\n{link}\n\n" in mail
        assert "Der Link gilt bis " in mail
        sent = urlsplit(await page.run("document.querySelector('#invitation-send').href"))
        assert sent.scheme == "mailto"
        assert unquote(sent.query.partition("&body=")[2]).replace("\r\n", "\n") == mail
        assert await page.run("window.tones") == 0
        async with open_link(browser, link) as client:
            await console.wait_says(f"{user} came to the door at", "#came")
            await console.wait_says(f"{user} is at the door.", "#invitation-state")
            await page.wait(f"window.tones === {heard}")
            await tap_ready(client)
            await console.wait_says(f"{user} came in at", "#came")
            await console.wait_says(f"{user} has come in.", "#invitation-state")
            await page.wait(f"window.tones === {2 * heard}")
            if browser_name == "chromium":
                await Accessible(read_axe()).check(page, "somebody was invited")
            assert parse_qs(urlsplit(await client.page.run("location.href")).query) == {
                "user": [user],
                "lang": ["de"],
            }
            # Who loads the page anew is no news.
            await client.page.reload()
            await client.wait_says("Bereit.")  # until then the console may list who is gone
            await page.wait(f"document.querySelector('#clients .name')?.innerText === {user!r}")
            await console.start(user)
            await console.end()
            assert await page.run("window.tones") == 2 * heard
        assert console.page.errors == []


async def test_the_sound_is_off_for_who_turned_it_off_also_when_the_page_is_loaded_again(
    browser: Browser, relay: str, secret_file: Path, browser_name: str
) -> None:
    async with open_inviting(browser, relay, token_of(secret_file)) as console:
        page, heard = console.page, TONES_OF[browser_name]
        pressed = "document.querySelector('#sound').getAttribute('aria-pressed')"
        assert await page.run(pressed) == "true"
        await console.tap("#sound")
        assert await page.run(pressed) == "false"
        await page.reload()
        await page.wait(f"{pressed} === 'false'")
        await console.tap("#sound")
        # It is heard, so that it is known how loud it is.
        await page.wait(f"{pressed} === 'true' && window.tones === {heard}")
        await page.reload()
        await page.wait(f"{pressed} === 'true'")


async def test_who_may_not_invite_is_told_what_to_do_and_what_is_no_name_asks_for_one(
    browser: Browser, relay: str, secret_file: Path
) -> None:
    async with open_inviting(browser, relay, token_of(secret_file)) as console:
        await fill_in(console, "patient-7")
        await console.wait_says("ask for one made with --invites", "#invite-error")
        await fill_in(console, "  ")
        await console.wait_says("Type a name or a number", "#invite-error")
        assert await console.page.run("document.activeElement.id") == "invite-user"
        assert await console.page.run("document.querySelector('#invitation').hidden")


async def test_a_relay_without_tokens_gives_a_link_without_one_in_each_language(
    browser: Browser, secret_file: Path
) -> None:
    with shared_relay() as url:
        async with open_inviting(browser, url, "") as console:
            page = console.page
            offered = await page.run(
                "[...document.querySelectorAll('#invite-language option')].map((one) => one.value)"
            )
            assert {"", "en", "de", "fr", "es", "ar"} <= set(offered)
            await fill_in(console, "a&b", language="ar", record="camera,microphone")
            await console.wait_says("asks nobody for a token", "#invitation-end")
            link = await see_code(page)
            origin = url.replace("ws", "http", 1).removesuffix("/ws")
            assert link == f"{origin}/client?user=a%26b&record=camera,microphone&lang=ar"
            mail = "document.querySelector('#invitation-mail')"
            assert await page.run(f"[{mail}.dir, {mail}.lang]") == ["rtl", "ar"]
            # Each is whole, and says the link on a line of its own.
            for language in filter(None, offered):
                await fill_in(console, "a", language=language, record="")
                await page.wait(f"{mail}.value.includes({json.dumps(f'=a&lang={language}')})")
                text = await field(page, "invitation-mail")
                assert f"\n\n{origin}/client?user=a&lang={language}\n\n" in text
                assert "{" not in text
                assert "undefined" not in text


async def test_where_no_code_can_hold_the_link_it_is_there_all_the_same(
    browser: Browser, relay: str, secret_file: Path
) -> None:
    token = token_of(secret_file, 60, "😀" * 96)
    async with open_inviting(browser, relay, token) as console:
        await fill_in(console, "😀" * 96)
        await console.wait_says("The link is too long for a QR code", "#invitation-code")
        link = await field(console.page, "invitation-link")
        claims = token_reader(read_secret(secret_file))(link.partition("#token=")[2])
        assert claims == Claims("😀" * 96, Role.CLIENT, group="😀" * 96)
