"""Who a page is, by its link and its token."""

from __future__ import annotations

import time
from collections.abc import Iterator

import jwt
import pytest

from tests.kit.browsers import Browser
from tests.kit.forks import shared_relay
from tests.kit.web_pages import ClientPage, open_client_page, page_url

SECRET = "a secret of thirty-two characters, or more"


@pytest.fixture(scope="module")
def guarded_relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = tmp_path_factory.mktemp("relay") / "secret"
    file.write_text(SECRET)
    with shared_relay("--auth-secret-file", str(file)) as url:
        yield url


def make_token(user: str, role: str) -> str:
    claims = {"sub": user, "role": role, "exp": int(time.time()) + 600}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.mark.parametrize("link", ["#token={}", "&token={}", "&token=nonsense#token={}"])
async def test_a_token_leaves_the_address_bar_and_is_still_there_after_a_reload(
    browser: Browser, guarded_relay: str, link: str
) -> None:
    token = make_token("ada", "client")
    url = page_url(guarded_relay, user="ada")
    async with browser.open_page(url + link.format(token)) as page:
        client = ClientPage(page)
        await client.wait_says("Ready.")
        assert await page.run("location.href") == url
        assert token not in await page.run("document.documentElement.outerHTML")
        await page.run("document.title = 'before'")
        await page.reload()
        await page.wait("document.title === 'Image session'")
        await client.wait_says("Ready.")
        assert page.errors == []


async def test_a_fresh_token_is_taken_by_a_page_that_is_open(
    browser: Browser, guarded_relay: str
) -> None:
    url = page_url(guarded_relay, user="ada")
    async with browser.open_page(f"{url}#token=nonsense") as page:
        client = ClientPage(page)
        await client.wait_says("This link is not valid, or not any more.")
        # To the browser such a link is a place within the same page.
        await page.run(f"void (location.href = '{url}#token={make_token('ada', 'client')}')")
        await client.wait_says("Ready.")
        assert await page.run("location.href") == url


@pytest.mark.parametrize("token", ["", "nonsense", make_token("bea", "client")])
async def test_a_link_that_does_not_let_in_says_so_in_plain_words(
    browser: Browser, guarded_relay: str, token: str
) -> None:
    query = {"token": token} if token else {}
    async with browser.open_page(page_url(guarded_relay, user="ada", **query)) as page:
        client = ClientPage(page)
        await client.wait_says("This link is not valid, or not any more.")
        await client.wait_says("Please ask for a new one.")


async def test_a_link_without_a_user_says_that_it_is_incomplete(
    browser: Browser, relay: str
) -> None:
    async with browser.open_page(page_url(relay)) as page:
        await ClientPage(page).wait_says("This link is incomplete.")
        assert page.errors == []


async def test_a_page_at_a_name_of_this_machine_may_connect(browser: Browser, relay: str) -> None:
    async with open_client_page(browser, relay.replace("127.0.0.1", "localhost"), "local"):
        pass
