"""Which language a participant's page is in, and what of it the relay says itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest

from imgsync.core.relay.languages import choose_language, wanted_languages
from imgsync.net.http import Request, Response
from imgsync.relay.languages import languages_in, read_texts
from imgsync.relay.pages import Pages, load_pages, make_pages

WEB = Path(str(resources.files("imgsync") / "web"))
FILES = {
    file.relative_to(WEB).as_posix(): file.read_bytes() for file in WEB.rglob("*") if file.is_file()
}
THERE = ["ar", "de", "en", "pt-BR", "zh-Hant-TW"]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", []),
        ("de", ["de"]),
        ("de-CH, fr;q=0.9, en;q=0.8", ["de-CH", "fr", "en"]),
        ("en;q=0.1,ar;q=0.7 , *;q=0.05, de ; q=0.7", ["ar", "de", "en", "*"]),
        ("de;q=0, fr", ["fr"]),
        ("de;q=nonsense, fr;q=-1, en", ["en"]),
        (",;,;q=1,", []),
    ],
)
def test_a_browser_says_which_languages_it_wants_and_how_much(
    header: str, wanted: list[str]
) -> None:
    assert wanted_languages(header) == wanted


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([], "en"),
        (["de"], "de"),
        (["DE-at"], "de"),
        (["de_DE"], "de"),
        (["fr-CA", "ar-EG"], "ar"),
        (["pt"], "pt-BR"),
        (["pt-PT", "de"], "pt-BR"),
        (["zh-Hant-TW-x-old"], "zh-Hant-TW"),
        (["dex", "*", "", "../en", "\N{GREEK SMALL LETTER ALPHA}"], "en"),
    ],
)
def test_the_first_that_is_there_is_chosen_and_else_english(
    wanted: Sequence[str], chosen: str
) -> None:
    assert choose_language(wanted, THERE) == chosen


def ask(pages: Pages, query: str = "", accepted: str = "") -> Response:
    headers = {"accept-language": accepted} if accepted else {}
    return pages.answer(Request("GET", "/client", query, headers, "::1"))


def body_of(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


@pytest.mark.parametrize(
    ("query", "accepted", "root"),
    [
        ("user=ada", "", '<html lang="en" dir="ltr">'),
        ("user=ada", "de-AT,de;q=0.9,en;q=0.8", '<html lang="de" dir="ltr">'),
        ("user=ada&lang=ar", "de-AT,de;q=0.9,en;q=0.8", '<html lang="ar" dir="rtl">'),
        ("lang=xx&user=ada", "fr", '<html lang="fr" dir="ltr">'),
        ("lang=&lang=es", "", '<html lang="es" dir="ltr">'),
    ],
)
def test_a_link_goes_before_the_browser(query: str, accepted: str, root: str) -> None:
    response = ask(load_pages(), query, accepted)
    assert root in body_of(response)
    assert dict(response.headers)["vary"] == "accept-encoding, accept-language"


def test_what_stands_on_a_page_from_the_beginning_is_in_its_language() -> None:
    for language in languages_in(FILES):
        page = body_of(ask(load_pages(), f"lang={language.tag}"))
        assert "data-say" not in page
        assert f"<title>{language.texts['page']['title']}</title>" in page
        assert f"<noscript><p>{language.texts['page']['noScript']}</p></noscript>" in page
        assert f'<p id="text" dir="auto">{language.texts["client"]["connecting"]}</p>' in page


@pytest.mark.parametrize("tag", [language.tag for language in languages_in(FILES)])
def test_the_texts_of_a_page_come_with_it_and_those_of_no_other_language(tag: str) -> None:
    pages = load_pages()
    page = body_of(ask(pages, f"lang={tag}"))
    preloaded = re.findall(r'<link rel="modulepreload" href="(web/[0-9a-f]{16}/)([^"]+)"', page)
    assert [name for _, name in preloaded if name.startswith("js/languages/")] == [
        f"js/languages/{tag}.js"
    ]
    assert len({name for _, name in preloaded}) == len(preloaded)
    [version] = {version for version, _ in preloaded}
    chosen = body_of(pages.responses[f"/{version}js/words/chosen.js"])
    assert f'from "../languages/{tag}.js"' in chosen
    # What it loads is there, and the same in all languages but for that.
    for name in FILES:
        if not name.endswith(".html"):
            served = body_of(pages.responses[f"/{version}{name}"]).encode()
            assert (served == FILES[name]) == (name != "js/words/chosen.js")


DUTCH = FILES["js/languages/de.js"].replace(b"Verbindung wird hergestellt", b"Bezig te verbinden")


def test_another_language_is_one_more_file() -> None:
    pages = make_pages({**FILES, "js/languages/nl.js": DUTCH})
    page = body_of(ask(pages, "", "nl-BE,nl;q=0.9,en;q=0.8"))
    assert '<html lang="nl" dir="ltr">' in page
    assert "Bezig te verbinden" in page
    assert "/js/languages/nl.js" in page
    assert body_of(ask(pages, "lang=de")) != body_of(ask(pages, "lang=nl"))


@pytest.mark.parametrize(
    "element",
    [
        b'<p data-say="client.nonsense"></p>',
        b'<p data-say="nonsense.ready"></p>',
        b'<p data-say="client.connectedTo"></p>',
        b'<p data-say="recording.kept"></p>',
        b'<p data-say="client.ready">Ready.</p>',
    ],
)
def test_what_can_not_be_said_is_refused_when_a_relay_starts(element: bytes) -> None:
    page = FILES["client.html"].replace(b'<p id="hint"></p>', element)
    with pytest.raises(ValueError, match=r"is no text for an empty element"):
        make_pages({**FILES, "client.html": page})


def test_a_file_of_texts_is_read_as_it_is_written() -> None:
    module = """
/** a comment */
export default {
  // another: "one"
  name: "X", direction: "ltr",
  room: {
    quoted: "a \\"b: c\\", // d",
    plural: { one: "{count} e", other: "{count} es", },
  },
};
"""
    assert read_texts(module) == {
        "name": "X",
        "direction": "ltr",
        "room": {
            "quoted": 'a "b: c", // d',
            "plural": {"one": "{count} e", "other": "{count} es"},
        },
    }
    with pytest.raises(ValueError, match="has to export"):
        read_texts("export const a = 1;")
    with pytest.raises(ValueError, match="Expecting"):
        read_texts("export default {\n  name: 1 + 1,\n};")
