"""What a study says itself on the participants' pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_SCREEN_TEXT
from imgsync.net.http import Request
from imgsync.relay.own_texts import read_own_texts, texts_for
from imgsync.relay.pages import Pages, pages_with
from tests.kit.rules import open_rules

THERE = ("ar", "de", "en")


def write(folder: Path, **texts: object) -> Path:
    for tag, said in texts.items():
        (folder / f"{tag}.json").write_text(json.dumps(said, ensure_ascii=False), "utf-8")
    (folder / "README").write_text("anything")
    return folder


def test_a_folder_has_a_file_for_each_language(tmp_path: Path) -> None:
    folder = write(tmp_path, de={"welcome": "Hallo.\nGleich geht es los."}, ar={"thanks": "شكرًا"})
    (folder / "en.json").write_bytes(b"\xef\xbb\xbf{}")
    assert read_own_texts(folder, THERE) == {
        "ar": {"thanks": "شكرًا"},
        "de": {"welcome": "Hallo.\nGleich geht es los."},
        "en": {},
    }


def test_who_reads_a_language_without_a_file_gets_the_english_one_or_the_first() -> None:
    german, english = {"thanks": "Danke."}, {"thanks": "Thanks."}
    assert texts_for("de", {"de": german, "en": english}) == german
    assert texts_for("fr", {"de": german, "en": english}) == english
    assert texts_for("fr", {"de": german}) == german
    assert texts_for("fr", {}) == {}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("xx.json", "{}", r"xx.json' is of no language .*; there are ar.json, de.json, en.json$"),
        ("de.json", "{", r"de.json' is no JSON in UTF-8: Expecting"),
        ("de.json", "[]", r"de.json' is no object of texts; there are welcome, consent, thanks$"),
        ("de.json", '{"wellcome": "a"}', r"has a text 'wellcome'; there are welcome, consent, th"),
        ("de.json", '{"welcome": 1}', r"has a welcome that is not a text of 1 to 4096 characters"),
        ("de.json", '{"consent": ""}', r"has a consent that is not a text"),
        ("de.json", '{"thanks": "a\\u0007"}', r"has a thanks that is not a text"),
        ("de.json", json.dumps({"thanks": "x" * (MAX_SCREEN_TEXT + 1)}), r"1 to 4096 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_file(
    tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=complaint):
        read_own_texts(tmp_path, THERE)


OWN = {"de": {"welcome": "1 < 2 & </p>\nso", "thanks": "Danke Ihnen. </script>"}}


def page_in(pages: Pages, tag: str) -> str:
    answer = pages.answer(Request("GET", "/client", f"lang={tag}", {}, "::1"))
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def test_a_page_comes_with_them_as_plain_text() -> None:
    place = '<p id="door-welcome" class="own" dir="auto">'
    for tag in ("de", "es"):
        page = page_in(pages_with(OWN), tag)
        assert f"{place}1 &lt; 2 &amp; &lt;/p&gt;\nso</p>" in page
    assert f"{place}</p>" in page_in(pages_with({}), "de")


def test_other_texts_are_another_version_of_a_page() -> None:
    pages = [pages_with({}), pages_with(OWN), pages_with({"de": {"thanks": "Danke."}})]
    versions = [
        re.findall("web/([0-9a-f]{16})/js/words/chosen.js", page_in(p, "de")) for p in pages
    ]
    assert len({version for [version] in versions}) == 3


def test_the_thanks_of_a_study_take_the_place_of_ours(tmp_path: Path) -> None:
    body = """
        const tell = (reason) => m.describeEnd(reason, "", true);
        const [ended, lost] = ["ended", "connection_lost"].map(tell);
        return [ended.text, ended.hint, lost.text];
    """
    with open_rules(tmp_path, "de", OWN["de"]) as rules:
        thanks, hint, lost = rules.run("words/client.js", body)
    assert thanks == OWN["de"]["thanks"]
    assert hint == "Sie können diese Seite schließen."
    assert "verloren" in lost
