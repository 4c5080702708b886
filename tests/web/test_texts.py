"""The texts of the participants' pages: each language has all of them, and no module has any."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgsync.relay.languages import Language, languages_in
from tests.kit.rules import Rules, open_rules
from tests.kit.web_modules import WEB, pages_of_participants, scripts_of

LANGUAGES = {
    language.tag: language
    for language in languages_in(
        {file.relative_to(WEB).as_posix(): file.read_bytes() for file in WEB.rglob("*.js")}
    )
}
ENGLISH = LANGUAGES["en"]
each_language = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
PLACE = re.compile(r"\{(\w+)\}")
DEVICES = ["camera", "microphone", "both"]


def texts_of(language: Language) -> dict[str, Any]:
    rooms = {room: texts for room, texts in language.texts.items() if isinstance(texts, dict)}
    return {f"{room}.{name}": text for room, texts in rooms.items() for name, text in texts.items()}


def forms_of(text: str | dict[str, str]) -> dict[str, str]:
    return {"": text} if isinstance(text, str) else text


def is_plural(text: object) -> bool:
    return isinstance(text, dict) and "other" in text


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    with open_rules(tmp_path_factory.mktemp("rules")) as rules:
        yield rules


# ── all of them ──────────────────────────────────────────────────────────────────────────────────


@each_language
def test_a_language_has_each_text_and_none_besides(language: Language) -> None:
    mine, wanted = texts_of(language), texts_of(ENGLISH)
    assert mine.keys() == wanted.keys()
    # In the order of the English ones, so that a missing one is seen.
    assert list(mine) == list(wanted)
    assert language.texts["direction"] in ("ltr", "rtl")
    assert language.texts["name"]
    for key, text in mine.items():
        for form in forms_of(text).values():
            assert form.strip() == form != "", key
            assert "  " not in form, key


@each_language
def test_a_text_has_the_same_places_in_each_language(rules: Rules, language: Language) -> None:
    # The plurals that are of one number alone may say it in a word.
    body = f"""
        const plurals = new Intl.PluralRules({json.dumps(language.tag)});
        const of = {{}};
        for (let n = 0; n < 1000; n += 1) (of[plurals.select(n)] ??= []).push(n);
        return Object.entries(of).filter(([, all]) => all.length === 1).map(([name]) => name);
    """
    of_one = rules.run("words/language.js", body)
    for key, text in texts_of(language).items():
        english = forms_of(texts_of(ENGLISH)[key])
        wanted = set(PLACE.findall(english.get("other", [*english.values()][-1])))
        for name, form in forms_of(text).items():
            places = set(PLACE.findall(form))
            assert places in ([wanted, wanted - {"count"}] if name in of_one else [wanted]), key
            assert "{" not in PLACE.sub("", form), key


@each_language
def test_a_plural_has_the_forms_that_the_language_has(rules: Rules, language: Language) -> None:
    plurals = f"new Intl.PluralRules({json.dumps(language.tag)})"
    body = f"return {plurals}.resolvedOptions().pluralCategories"
    wanted = sorted(rules.run("words/language.js", body))
    for key, text in texts_of(language).items():
        english = texts_of(ENGLISH)[key]
        if is_plural(english) or is_plural(text):
            assert sorted(text) == wanted, key
        elif isinstance(english, dict):
            assert list(text) == DEVICES, key


def test_arabic_is_written_in_arabic_letters() -> None:
    for key, text in texts_of(LANGUAGES["ar"]).items():
        for form in forms_of(text).values():
            assert re.search(r"[\u0600-\u06ff]", PLACE.sub("", form)), key


@each_language
def test_what_stands_in_a_text_is_written_as_the_language_has_it(
    tmp_path: Path, language: Language
) -> None:
    body = """
        const numbers = [0, 1, 2, 3, 11, 100, 1234567];
        const own = new Intl.NumberFormat(m.LANGUAGE);
        const plurals = new Intl.PluralRules(m.LANGUAGE);
        return {
          tag: m.LANGUAGE,
          direction: m.DIRECTION,
          said: numbers.map((count) => m.say("recording.unsent", { count })),
          kinds: numbers.map((count) => plurals.select(count)),
          numbers: numbers.map((count) => own.format(count)),
          sizes: [m.writeSize(1), m.writeSize(123456), m.writeSize(2500000)],
          wanted: [1, 123].map((size) => new Intl.NumberFormat(m.LANGUAGE,
            { style: "unit", unit: "kilobyte" }).format(size)),
          time: m.writeTime(0) === new Date(0).toLocaleTimeString(m.LANGUAGE),
          names: ["Ada", "أحمد (2)"].map((name) => m.say("client.connectedTo", { name })),
        };
    """
    with open_rules(tmp_path, language.tag) as rules:
        found = rules.run("words/language.js", body)
    assert (found["tag"], found["direction"]) == (language.tag, language.texts["direction"])
    forms = language.texts["recording"]["unsent"]
    for said, kind, number in zip(found["said"], found["kinds"], found["numbers"], strict=True):
        assert said == forms[kind].replace("{count}", number)
    assert found["sizes"][:2] == found["wanted"]
    assert found["time"]
    # A name that goes the other way does not turn what is around it.
    latin, arabic = found["names"]
    assert "\u2068أحمد (2)\u2069" in arabic
    assert ("\u2068Ada\u2069" in latin) == (language.texts["direction"] == "rtl")


# ── and nowhere else ─────────────────────────────────────────────────────────────────────────────

SCRIPTS = [
    script for script in scripts_of(pages_of_participants()) if script.parent.name != "languages"
]

#: Comments and regular expressions, which are skipped, and literals.
PIECE = re.compile(
    r"(?P<no>/\*.*?\*/|//[^\n]*"
    r"|(?<=[(=,:\[!&|?{;\n]) ?/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/)"
    r"""|(?P<text>"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|'(?:[^'\\\n]|\\.)*')""",
    re.DOTALL,
)
#: Two words, the end of a sentence, a word as a button has it, or a letter that is not of ASCII.
PROSE = re.compile(
    r"[^\W\d_]{2,}['\u2019]?[,;:]?\s+[^\W\d_]|[^\W\d_][.!?…]$|^[A-Z][a-z]+( …)?$|[^\W\d_a-zA-Z]"
)
#: What programs and those who mend them read, and what a browser is asked.
NOT_FOR_PEOPLE = re.compile(
    r"(?:new \w*(?:Error|Exception)|console\.\w+|matchMedia|querySelector(?:All)?|closest)\(\s*$"
)
#: By what text comes into a page, or into the texts of others.
WRITES = re.compile(
    r"\b(?:textContent|innerText|innerHTML|outerHTML|insertAdjacent\w+|replaceChildren|append|prepend"
    r"|replaceWith|setText|make|setAttribute|createTextNode|alert|confirm|prompt|placeholder|ariaLabel)\b"
    r"|\.title\b|\bdocument\.write"
)


def prose_in(script: Path) -> list[str]:
    """What reads like a text for people."""
    code = script.read_text("utf-8")
    found = []
    for piece in PIECE.finditer(code):
        literal = piece["text"]
        if literal is None or NOT_FOR_PEOPLE.search(code[: piece.start()]):
            continue
        words = re.sub(r"\$\{[^}]*\}", " ", literal[1:-1]).replace("\\n", " ").strip()
        # Names under which a browser keeps what is of this package, and a directive.
        if PROSE.search(words) and not words.startswith(("imgsync ", "use strict")):
            found.append(words)
    return found


@pytest.mark.parametrize(
    "script", SCRIPTS, ids=lambda script: str(script.relative_to(WEB / "js").as_posix())
)
def test_no_text_stands_in_a_module_that_writes_into_a_page(script: Path) -> None:
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", script.read_text("utf-8"), flags=re.DOTALL)
    if script.parent.name == "words" or WRITES.search(code):
        assert prose_in(script) == []


def test_a_text_that_stands_in_a_module_is_seen(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    for literal in (
        '"Save"',
        '"Please wait."',
        "`Image ${number} of ${all}`",
        "'läuft'",
        '"no more"',
    ):
        script.write_text(f'const a = /"/; setText(element, {literal}); // a comment, not this')
        assert len(prose_in(script)) == 1, literal
    script.write_text('throw new Error("no such thing"); find("front", "click"); /* Save. */')
    assert prose_in(script) == []


@pytest.mark.parametrize("page", pages_of_participants(), ids=lambda page: page.name)
def test_no_text_stands_on_a_page(page: Path) -> None:
    text = re.sub(r"<!--.*?-->|<!doctype html>", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert not re.sub(r"<[^>]*>", "", text).strip()
    assert not re.search(r'\s(?:alt|title|placeholder|aria-label|aria-description|value)="', text)


def test_each_text_is_said_somewhere() -> None:
    # Some stand in the mail that the console writes to a participant.
    scripts = [file for file in (WEB / "js").rglob("*.js") if file.parent.name != "languages"]
    code = "".join(script.read_text("utf-8") for script in scripts)
    pages = "".join(page.read_text("utf-8") for page in pages_of_participants())
    said = {*re.findall(r'"(\w+\.\w+)"', code), *re.findall(r'data-say="([\w.]+)"', pages)}
    assert {key for key in texts_of(ENGLISH) if key not in said} == set()
