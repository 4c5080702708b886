"""Studies on a disk: what of them is shown, from where, and in which order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import MAX_SEED
from imgsync.core.protocol.trials import Respond, Trial
from imgsync.core.study.study import Study
from imgsync.images.sources import ManifestImages, open_images
from tests.images.test_kinds import PNG
from tests.images.test_sources import fill, one_line, write

ENTRIES = [
    {"imageUrl": "a.png", "showFor": 200, "respond": "f j ends", "condition": "A", "id": 1},
    {"text": "Rest.\nThen go on.", "respond": {"taps": True}},
    {"imageUrl": "more/b c.png", "frames": 3},
    {"imageUrl": "a.png"},
]


def a_study(folder: Path, **said: object) -> Path:
    fill(folder, "a.png")
    fill(folder / "more", "b c.png")
    return write(folder / "faces.json", {"entries": ENTRIES, **said})


async def test_a_study_has_texts_around_its_blocks(tmp_path: Path) -> None:
    texts = {
        "welcome": "Hello.",
        "consent": "I take part.",
        "instructions": "Press f.",
        "end": "Bye.",
    }
    blocks = [1, 1, None, 2, 2, "2", 3.0, 3]
    entries = [{"text": f"{block}", "block": block} for block in blocks]
    file = tmp_path / "s.json"
    file.write_text(json.dumps({**texts, "break": "Rest.", "entries": entries}))
    async with open_images(file) as images:
        shown = [image.trial for image in images if image.trial is not None]
        assert images.study == Study("s", "given", None, len(shown))
    assert [trial.text for trial in shown] == [
        *("Hello.", "I take part.", "Press f."),
        *("1", "1", "None", "2", "2", "Rest.", "2", "Rest.", "3.0", "3", "Bye."),
    ]
    consents = Respond(("Enter",), taps=True, ends=True)
    assert [trial.respond for trial in shown] == [None, consents, *[None] * 12]


async def test_a_study_shows_its_texts_and_the_pictures_beside_it(tmp_path: Path) -> None:
    file = a_study(tmp_path, instructions="Press f or j.", end="Thank you.")
    async with open_images(file, via="peer") as images:
        assert images.study == Study("faces", "given", None, 6)
        assert [image.index for image in images] == [*range(6)]
        first, one, text, other, again, last = images
        assert one.trial == Trial(200.0, None, Respond(("f", "j"), taps=False, ends=True))
        assert one.extra == {"condition": "A", "id": 1}
        assert one.picture is not None
        assert one.picture.path == tmp_path / "a.png"
        assert (one.name, one.signed_url) == ("a.png", None)
        assert (other.name, again.image_url) == ("b c.png", one.image_url)
        assert other.image_url.endswith("/more%2Fb%20c.png")
        assert (text.name, text.signed_url, text.picture) == ("Rest.", None, None)
        assert text.trial == Trial(respond=Respond(taps=True), text="Rest.\nThen go on.")
        names = [image.image_url.split("/") for image in (first, text, last)]
        assert [(name[0], name[2]) for name in names] == [
            ("texts", "0"),
            ("texts", "2"),
            ("texts", "5"),
        ]
        assert len({name[1] for name in names}) == 1
    async with open_images(file, via="peer") as later:
        assert later[0].image_url != first.image_url


async def test_pictures_beside_a_study_have_urls_where_they_are_wanted(tmp_path: Path) -> None:
    file = a_study(tmp_path)
    async with open_images(file) as images:
        assert images[0].picture is not None
        assert "/more%2Fb%20c.png?" in (images[2].signed_url or "")
        assert images[1].signed_url is None
    async with open_images(file, via="url") as images:
        assert images[0].picture is None
        assert images[0].image_url.startswith("http://127.0.0.1")
        assert images[0].trial is not None


async def test_the_seed_that_decides_an_order_is_told(tmp_path: Path) -> None:
    entries = [{"imageUrl": f"http://h/{n}"} for n in range(30)]
    file = write(tmp_path / "s.json", {"name": "S", "order": "shuffled", "entries": entries})

    async def opened(seed: int | None) -> tuple[Study | None, list[str]]:
        async with open_images(file, seed=seed) as images:
            return images.study, [image.name for image in images]

    thrown, order = await opened(None)
    assert thrown is not None
    assert (thrown.name, thrown.order, thrown.entries) == ("S", "shuffled", 30)
    assert await opened(thrown.seed) == (thrown, order)
    assert sorted(order, key=int) == [str(n) for n in range(30)]
    other, other_order = await opened(None)
    assert (other, other_order) != (thrown, order)
    write(file, {"order": "shuffled", "seed": 5, "entries": entries})
    assert (await opened(None))[1] == (await opened(5))[1] != (await opened(6))[1]
    with pytest.raises(InputError, match="no seed"):
        await opened(MAX_SEED + 1)


async def test_a_seed_is_refused_where_nothing_is_shuffled(tmp_path: Path) -> None:
    for source in (a_study(tmp_path), tmp_path):
        with pytest.raises(InputError) as failure:
            async with open_images(source, seed=1):
                pass
        assert "leave out the seed" in one_line(failure.value)


async def test_a_picture_that_is_not_beside_its_study_is_missed_by_name(tmp_path: Path) -> None:
    file = a_study(tmp_path)
    (tmp_path / "more" / "b c.png").unlink()
    with pytest.raises(InputError) as failure:
        async with open_images(file):
            pass
    assert "names 'more/b c.png' as what is shown at place 2" in one_line(failure.value)
    fill(tmp_path / "more", "b c.png", content=PNG[:-20])
    with pytest.raises(InputError, match="is cut off"):
        async with open_images(file):
            pass


async def test_pictures_of_the_web_are_not_sent_over_the_connection(tmp_path: Path) -> None:
    file = write(tmp_path / "s.json", {"entries": ["http://h/a.png", {"text": "+"}]})
    with pytest.raises(InputError, match="only pictures that are here"):
        async with open_images(file, via="peer"):
            pass


async def test_urls_of_a_shuffled_study_are_signed_anew_in_their_places(tmp_path: Path) -> None:
    def content(signature: int) -> str:
        entries: list[dict[str, object]] = [
            {"imageUrl": f"http://h/{n}", "signedUrl": f"http://h/{n}?sig={signature}"}
            for n in range(9)
        ]
        return json.dumps({"order": "shuffled", "end": "Bye.", "entries": entries})

    async with open_images(write(tmp_path / "s.json", content(1))) as images:
        assert isinstance(images, ManifestImages)
        before = list(images)
        write(tmp_path / "s.json", content(2))
        await images.read_again()
        for old, new in zip(before, images, strict=True):
            assert new.image_url == old.image_url
            assert new.signed_url == (old.signed_url and old.signed_url.replace("=1", "=2"))


async def test_a_plain_list_is_no_study(tmp_path: Path) -> None:
    async with open_images(write(tmp_path / "m.json", ["http://h/a.png"])) as images:
        assert images.study is None
    csv = "imageUrl,showFor\nhttp://h/a.png,200\n"
    async with open_images(write(tmp_path / "m.csv", csv)) as images:
        assert images.study == Study("m", "given", None, 1)
