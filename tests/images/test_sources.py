"""Folders and manifests, the good ones and the ones that people really have."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from imgsync.core.protocol.errors import InputError
from imgsync.images.folder import LeftOut, list_images
from imgsync.images.ref import ImageRef
from imgsync.images.series import read_manifest
from imgsync.images.sources import FolderImages, open_images
from tests.images.test_kinds import IMAGES, JPG, PNG
from tests.kit.pictures import make_all

GOOD = {"imageUrl": "https://h/a.png", "signedUrl": "https://h/a.png?s=1"}

ODD_NAMES = [
    "two words.png",
    " padded .png",
    'it\'s "quoted".png',
    "question?.png",
    "hash#tag.png",
    "100%.png",
    "%2e%2e%2f.png",
    "a&b=c;d+e.png",
    "back\\slash.png",
    "colon:.png",
    "Übung 眼 👁.png",
    "line\nbreak.png",
    "-.png",
]


def fill(folder: Path, *names: str, content: bytes = PNG) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(content)
    return folder


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def complaint(about: Path, function: Callable[[Path], object]) -> str:
    """The text of the InputError, which has to be one line that can be printed."""
    with pytest.raises(InputError) as failure:
        function(about)
    return one_line(failure.value)


def one_line(failure: InputError) -> str:
    text = str(failure)
    assert text
    assert text.isprintable(), text
    return text


# ── folders ──────────────────────────────────────────────────────────────────────────────────────


def test_images_come_in_natural_order(tmp_path: Path) -> None:
    wanted = ["1.png", "2.png", "2a.png", "10.png", "A1.png", "a2.png", "a10b2.png", "a10b10.png"]
    fill(tmp_path, *reversed(wanted))
    assert list(list_images(tmp_path)) == wanted


def test_the_order_does_not_depend_on_the_folders_own(tmp_path: Path) -> None:
    names = [f"{zeros}{number}.{suffix}" for number in range(9) for zeros in ("", "0", "00")
             for suffix in ("png", "PNG", "Png")]  # fmt: skip
    forth = fill(tmp_path / "forth", *names)
    back = fill(tmp_path / "back", *reversed(names))
    listed = list(list_images(forth))
    assert listed == list(list_images(back))
    assert [int(name.partition(".")[0]) for name in listed] == sorted(list(range(9)) * 9)


def test_digits_of_other_scripts_are_no_trouble(tmp_path: Path) -> None:
    names = ["1²3.png", "²1.png", "①1.png", "x².png", "\u06631.png"]
    assert sorted(list_images(fill(tmp_path, *names))) == sorted(names)


def test_every_kind_is_listed_whatever_the_case_of_its_suffix(tmp_path: Path) -> None:
    for name, content in IMAGES.items():
        fill(tmp_path, name, content=content)
    fill(tmp_path, "H.PNG")
    fill(tmp_path, "i.JPeG", content=JPG)
    images = list_images(tmp_path)
    assert list(images) == [*IMAGES, "H.PNG", "i.JPeG"]
    assert images["a.png"] == tmp_path / "a.png"


def test_what_is_named_like_another_image_is_still_one(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", content=JPG)
    assert list(list_images(tmp_path)) == ["a.png"]


def test_other_files_hidden_files_and_subfolders_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "1.png")
    fill(tmp_path, "notes.txt", "1.png.bak", "png", "a.tiff", "Thumbs.db", content=b"anything")
    # A Mac leaves the second beside every file that it copies to a foreign file system.
    fill(tmp_path, ".hidden.png", "._1.png", ".png", content=b"\x00\x05\x16\x07")
    fill(tmp_path / "folder.png", "2.png")
    (tmp_path / "to-folder.png").symlink_to(tmp_path / "folder.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert list(list_images(tmp_path)) == ["1.png"]


def test_a_link_to_an_image_is_an_image(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere.png")
    (fill(tmp_path / "series") / "1.png").symlink_to(tmp_path / "elsewhere.png")
    assert list(list_images(tmp_path / "series")) == ["1.png"]


def test_a_link_to_nothing_is_not_silently_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "3.png")
    (tmp_path / "2.png").symlink_to(tmp_path / "nowhere")
    assert re.search(r"can't read '.*/2\.png': .*; ", complaint(tmp_path, list_images))


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    # Opens, but reading it from its beginning fails, for every user.
    (tmp_path / "1.png").symlink_to("/proc/self/mem")
    assert re.search(r"can't read '.*/1\.png': .*; ", complaint(tmp_path, list_images))


def test_a_text_named_like_an_image_is_named(tmp_path: Path) -> None:
    fill(fill(tmp_path, "1.png"), "2.png", content=b"To be done.\n")
    text = complaint(tmp_path, list_images)
    assert "2.png' is no image" in text
    assert "replace or remove" in text


def test_an_empty_file_is_no_image(tmp_path: Path) -> None:
    assert "1.png' is no image" in complaint(fill(tmp_path, "1.png", content=b""), list_images)


@pytest.mark.parametrize("name", make_all())
def test_files_are_read_to_their_end(tmp_path: Path, name: str) -> None:
    data, suffix = make_all()[name], name.rpartition(" ")[2]
    fill(tmp_path, f"1.{suffix}", content=data)
    assert list(list_images(tmp_path)) == [f"1.{suffix}"]
    fill(tmp_path, f"2.{suffix}", content=data[: len(data) * 2 // 3])
    assert f"2.{suffix}' is cut off" in complaint(tmp_path, list_images)


def test_damaged_and_foreign_files_are_named_by_what_they_are(tmp_path: Path) -> None:
    fill(tmp_path, "1.png")
    fill(tmp_path, "2.png", content=PNG[:45] + bytes([PNG[45] ^ 1]) + PNG[46:])
    text = complaint(tmp_path, list_images)
    assert "2.png' is damaged" in text
    assert "more" not in text
    fill(tmp_path, "0.jpg", content=b"II*\0 and so on")
    text = complaint(tmp_path, list_images)
    assert "0.jpg' is image/tiff, which browsers don't show" in text
    assert "(1 more can't be shown either: '2.png')" in text
    fill(tmp_path, *(f"{number}.gif" for number in range(3, 14)), content=b"no picture")
    text = complaint(tmp_path, list_images)
    assert "(12 more can't be shown either: '2.png', '3.gif'," in text
    assert text.endswith("'11.gif' and 2 others)")


def test_what_is_left_out_is_told_with_the_reason(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "10.apng", "noname", "old.png.bak")
    fill(tmp_path, "2.avif", content=make_all()["plain avif"])
    fill(tmp_path, "3.JFIF", content=JPG)
    fill(tmp_path, "4.bmp", content=make_all()["plain bmp"])
    fill(tmp_path, "a.tif", content=b"MM\0*")
    fill(tmp_path, "b.heic", content=b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    fill(tmp_path, "c.dcm", content=bytes(128) + b"DICM")
    fill(tmp_path, "d.svgz", content=b"\x1f\x8b\x08")
    fill(tmp_path, "notes.txt", "e.dcm", content=b"anything")
    fill(
        tmp_path, ".hidden.tif", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r", content=b"MM\0*"
    )
    fill(tmp_path / "more", "5.png")
    os.mkfifo(tmp_path / "pipe.png")
    listing = list_images(tmp_path)
    assert list(listing) == ["1.png", "2.avif", "3.JFIF", "4.bmp", "10.apng"]
    no_name = "image/png, but its name does not end so"
    assert {one.name: one.why for one in listing.left_out} == {
        "a.tif": "image/tiff, which browsers don't show",
        "b.heic": "image/heic, which browsers don't show",
        "c.dcm": "application/dicom, which browsers don't show",
        "d.svgz": "application/gzip, which browsers don't show",
        "e.dcm": "no image",
        "more": "a folder",
        "noname": no_name,
        "notes.txt": "no image",
        "old.png.bak": no_name,
        "pipe.png": "no file",
    }


async def test_the_library_tells_what_is_left_out_and_how_far_it_has_read(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{number}.png" for number in range(20)))
    fill(tmp_path, "a.tif", content=b"II*\0")
    told: list[tuple[int, int]] = []
    async with open_images(tmp_path, checked=lambda *how_far: told.append(how_far)) as images:
        assert images.left_out == (LeftOut("a.tif", "image/tiff, which browsers don't show"),)
    assert told == [(done, 20) for done in range(1, 21)]
    async with open_images(write(tmp_path / "m.json", [GOOD])) as images:
        assert images.left_out == ()


async def test_who_is_cancelled_does_not_wait_for_the_whole_folder(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{number}.png" for number in range(50)))
    told: list[int] = []
    with trio.CancelScope() as scope:

        def checked(done: int, _count: int) -> None:
            told.append(done)
            scope.cancel()

        async with open_images(tmp_path, checked=checked):
            pass
    assert scope.cancelled_caught
    assert told == [1]


def test_a_folder_without_images_says_which_kinds_there_are(tmp_path: Path) -> None:
    fill(tmp_path, "a.tiff", "b.txt")
    text = complaint(tmp_path, list_images)
    assert str(tmp_path) in text
    assert "gif, jpeg, jpg, png, svg, webp, " in text
    for suffix in ("apng", "avif", "bmp", "jfif"):
        assert f" {suffix}, " in text


def test_a_folder_that_can_not_be_listed_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path / "missing", fill(tmp_path, "a.png") / "a.png"):
        assert repr(str(folder)) in complaint(folder, list_images)


def test_a_name_that_no_url_can_hold_is_refused(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")).write_bytes(PNG)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    text = complaint(tmp_path, list_images)
    assert r"caf\udce9.png" in text
    assert "rename it" in text


# ── manifests ────────────────────────────────────────────────────────────────────────────────────


def test_a_json_manifest_names_images_in_its_order(tmp_path: Path) -> None:
    entries: list[dict[str, str]] = [
        {
            "imageUrl": "https://h/b/2%20%C3%A4.png?v=1#x",
            "signedUrl": "https://h/2?s=1",
            "more": "1",
        },
        {"imageUrl": "HTTP://h:8000/", "signedUrl": "http://h:80/@"},
        {"imageUrl": "http://[::1]:80/c.png", "signedUrl": "http://[2001:db8::1]/c.png"},
    ]
    images = read_manifest(write(tmp_path / "m.json", entries))
    assert images == [
        ImageRef(place, entry["imageUrl"], entry["signedUrl"], name, extra)
        for place, (entry, name, extra) in enumerate(
            zip(entries, ["2 ä.png", "", "c.png"], [{"more": "1"}, {}, {}], strict=True)
        )
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_csv_manifest_may_come_from_a_spreadsheet(tmp_path: Path, end: str, mark: str) -> None:
    rows = [
        f"{mark}id,signedUrl,imageUrl",
        "1,https://h/a?x=1,https://h/a",
        "",
        '2,"https://h/b?x=1,2","https://h/b,""c"""',
        "",
    ]
    (tmp_path / "m.CSV").write_bytes(end.join(rows).encode())
    images = read_manifest(tmp_path / "m.CSV")
    assert [(image.index, image.image_url, image.signed_url, image.name) for image in images] == [
        (0, "https://h/a", "https://h/a?x=1", "a"),
        (1, 'https://h/b,"c"', "https://h/b?x=1,2", 'b,"c"'),
    ]


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "a",
        "/a.png",
        "//h/a.png",
        "ftp://h/a.png",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http:",
        "http://",
        "http:///a.png",
        "http://?a",
        "http://:80/",
        "http://[",
        "http://[::1",
        "http://u[@h/",
        "http://h:port/",
        "http://h:99999/",
        "http://\u2100.example/",
        "http://h/\ud800.png",
        " http://h/a.png",
        "http://h/a\nb.png",
        "http://h/\x1b[2J.png",
    ],
)
@pytest.mark.parametrize("field", ["imageUrl", "signedUrl"])
def test_what_is_no_url_is_refused_with_its_place(tmp_path: Path, field: str, url: object) -> None:
    text = complaint(write(tmp_path / "m.json", [GOOD, {**GOOD, field: url}]), read_manifest)
    assert text.startswith("image 1 of the manifest")
    assert field in text
    assert "http or https URL" in text


@pytest.mark.parametrize("url", ["http://user:secret@h/a.png", "https://user@h/", "http://:@h/"])
@pytest.mark.parametrize("field", ["imageUrl", "signedUrl"])
def test_who_is_to_log_in_is_refused_and_not_repeated(tmp_path: Path, field: str, url: str) -> None:
    text = complaint(write(tmp_path / "m.json", [GOOD, {**GOOD, field: url}]), read_manifest)
    assert text.startswith("image 1 of the manifest")
    assert f"a user name in its {field}" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "signed", ["https://h/b.png?s=1", "https://h/a.png?s=2", "https://h/a.png"]
)
def test_one_name_for_two_images_is_refused_by_naming_both(tmp_path: Path, signed: str) -> None:
    other = {"imageUrl": "https://h/b.png", "signedUrl": "https://h/b.png"}
    entries = [other, GOOD, other, {**GOOD, "signedUrl": signed}]
    text = complaint(write(tmp_path / "m.json", entries), read_manifest)
    assert text.startswith("images 1 and 3 of the manifest")
    assert "imageUrl" in text


def test_an_image_may_come_twice_and_one_address_may_have_two_names(tmp_path: Path) -> None:
    named = [{**GOOD, "imageUrl": f"https://h/a.png#{number}"} for number in range(2)]
    assert len(read_manifest(write(tmp_path / "m.json", [GOOD, *named, GOOD]))) == 4


@pytest.mark.parametrize("entry", [None, 7, "http://h/a.png", [], ["http://h/"], {}])
def test_an_entry_that_is_no_object_is_refused_with_its_place(
    tmp_path: Path, entry: object
) -> None:
    path = write(tmp_path / "m.json", [GOOD, GOOD, entry])
    assert complaint(path, read_manifest).startswith("image 2 of the manifest")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is not JSON: .*line 1 column 1"),
        ("[{},\n{]", "is not JSON: .*line 2 column 2"),
        ("[" * 100_000, "is not JSON"),
        ("[" + "1" * 5000 + "]", "is not JSON"),
        ("{}", "has no entries that are a list"),
        ('"http://h/a.png"', "is not a list of images"),
        ("null", "is not a list of images"),
        ("[]", "names no images"),
    ],
)
def test_a_json_file_that_is_no_manifest_is_refused(
    tmp_path: Path, content: str, problem: str
) -> None:
    path = write(tmp_path / "m.json", content)
    text = complaint(path, read_manifest)
    assert repr(str(path)) in text
    assert re.search(problem, text)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "names no images"),
        ("imageUrl,signedUrl\n", "names no images"),
        ("https://h/a,https://h/a?s\n", "does not name imageUrl"),
        ("signedUrl\nhttps://h/a\n", "does not name imageUrl"),
        ("imageUrl;signedUrl\nhttps://h/a;https://h/a?s\n", "divided by semicolons"),
        ("imageUrl\tsignedUrl\nhttps://h/a\thttps://h/a?s\n", "divided by tabs"),
        ("sep=,\nimageUrl,signedUrl\nhttps://h/a,https://h/a?s\n", '"sep=".*remove'),
        ("ImageURL,signedUrl\nhttps://h/a,https://h/a?s\n", '"ImageURL"; call it imageUrl'),
        (
            'imageUrl,signedUrl,x\nhttps://h/a,https://h/a,"1\nhttps://h/b,https://h/b,2"\n',
            "line 2 ",
        ),
        ("imageUrl,signedUrl\nhttps://h/a,https://h/a?a=1,2\n", "line 2 .*more cells"),
        ("imageUrl,signedUrl\nhttps://h/a,https://h/a\nhttps://h/b\n", "image 1 .* no signedUrl"),
        (f"imageUrl,signedUrl\n\nhttps://h/a,{'x' * 200_000}\n", "line 3 .*not CSV"),
    ],
)
def test_a_csv_file_that_is_no_manifest_is_refused(
    tmp_path: Path, content: str, problem: str
) -> None:
    path = write(tmp_path / "m.csv", content)
    text = complaint(path, read_manifest)
    assert repr(str(path)) in text
    assert re.search(problem, text)


def test_a_manifest_that_is_not_text_is_refused(tmp_path: Path) -> None:
    for encoding in ("latin-1", "utf-16"):
        (tmp_path / "m.csv").write_bytes("imageUrl,signedUrl,ä\n".encode(encoding))
        assert "save it as UTF-8" in complaint(tmp_path / "m.csv", read_manifest)


def test_a_single_image_is_to_be_put_into_a_folder(tmp_path: Path) -> None:
    for name in ("a.png", "b.txt", "noext"):
        path = fill(tmp_path, name) / name
        assert "put the image into a folder" in complaint(path, read_manifest)


def test_an_unreadable_manifest_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "m.json").symlink_to("/proc/self/mem")
    assert complaint(tmp_path / "m.json", read_manifest).count("m.json") == 1


# ── either ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["missing", "missing/deeper", "x" * 300, "nul\0", "line\nbreak", ""]
)
async def test_a_source_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as failure:
        async with open_images(tmp_path / "m.json" / name):
            pass
    assert "name a folder of images, or a .json or .csv manifest" in one_line(failure.value)


async def test_a_manifest_is_a_source(tmp_path: Path) -> None:
    async with open_images(write(tmp_path / "m.json", [GOOD])) as images:
        assert list(images) == [ImageRef(0, GOOD["imageUrl"], GOOD["signedUrl"], "a.png")]


def test_a_picture_that_comes_three_times_may_be_signed_each_time(tmp_path: Path) -> None:
    rows = [{**GOOD, "signedUrl": f"https://h/a.png?se={n}&sp=r&sig={n}"} for n in range(3)]
    assert len(read_manifest(write(tmp_path / "m.json", rows))) == 3
    other = {**GOOD, "signedUrl": "https://h/a.png?versionId=2&sig=9"}
    said = complaint(write(tmp_path / "m.json", [*rows, other]), read_manifest)
    assert "images 0 and 3 " in said
    assert "an imageUrl of its own" in said


async def test_a_folder_is_a_sequence_of_images(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(5)]
    async with open_images(str(fill(tmp_path, *names))) as images:
        assert isinstance(images, FolderImages)
        assert len(images) == 5
        assert [(image.index, image.name) for image in images] == list(enumerate(names))
        assert [image.name for image in images[1:4:2]] == ["1.png", "3.png"]
        assert images[-1].index == images[4].index == 4
        assert images[-1].name == "4.png"
        for index in (5, -6):
            with pytest.raises(IndexError):
                images[index]


async def test_each_look_up_signs_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_images(fill(tmp_path, "1.png"), via="url") as images:
        first = images[0]
        monkeypatch.setattr("imgsync.images.host.URL_LIFETIME", 7200)
        second = images[0]
    assert first.image_url == second.image_url
    assert first.signed_url != second.signed_url
