"""What the console decides about pictures from the evaluator's own disk, in Node."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.kit.rules import Rules, open_rules

MAKE = """
const make = (name, sha256 = name, blob = {}) =>
  ({ imageUrl: `images/abc/${name}`, signedUrl: null, own: { blob, facts: { sha256 } } });
const namesOf = (images) => images.map(({ imageUrl }) => imageUrl.split("/").at(-1)).join("");
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    with open_rules(tmp_path_factory.mktemp("rules")) as rules:
        yield rules


def test_an_order_is_changed_and_had_back_step_by_step(rules: Rules) -> None:
    orders = rules.run(
        "console/arrangement.js",
        MAKE
        + """
        const order = new m.Arrangement();
        let images = [..."abcd"].map((name) => make(name));
        const found = [];
        const note = (changed) => found.push(namesOf((images = changed)));
        for (const [from, to] of [[0, 2], [3, 0], [1, 99], [2, -5], [1, 1], [9, 0]])
          note(order.move(images, from, to));
        note(order.remove(images, 1));
        while (order.canUndo) note(order.undo(images));
        note(order.undo(images));
        return found;
        """,
    )
    moved = ["bcad", "dbca", "dcab", "adcb", "adcb", "adcb"]
    assert orders == [*moved, "acb", "adcb", "dcab", "dbca", "bcad", "abcd", "abcd"]


def test_what_is_current_stays_so_and_what_is_removed_gives_way_to_what_took_its_place(
    rules: Rules,
) -> None:
    found = rules.run(
        "console/arrangement.js",
        MAKE
        + """
        const before = [..."abcd"].map((name) => make(name));
        const [a, b, c, d] = before;
        const cases = [[[d, c, b, a], 0], [[a, b, d], 2], [[a, b, c], 3], [[], 1], [before, null]];
        return cases.map(([after, index]) => m.indexAfter(before, index, after));
        """,
    )
    assert found == [3, 2, 2, None, None]


def test_pictures_that_come_again_are_those_that_are_here_by_their_name_and_bytes(
    rules: Rules,
) -> None:
    found = rules.run(
        "console/own_series.js",
        MAKE
        + """
        const taken = (name, sha256) => ({ name, blob: "here", facts: { sha256 } });
        const images = [make("a"), make("b", "b", null), make("c", "c", null), make("d")];
        const again = [taken("a", "a"), taken("b", "b"), taken("c", "other"), taken("e", "e")];
        const { images: joined, found, fresh, clashing } = m.join("abc", images, again);
        const lost = joined.filter(m.isLost);
        const name = ({ name }) => name;
        return [namesOf(joined), namesOf(lost), found, fresh.map(name), clashing.map(name)];
        """,
    )
    assert found == ["abcd", "c", 1, ["e"], ["c"]]


def test_a_name_is_the_same_in_a_url_whatever_is_in_it(rules: Rules) -> None:
    found = rules.run(
        "console/own_series.js",
        """
        const urls = [];
        for (const name of ["a b?#%2f.png", "\\u00e4\\u773c/..\\\\.png", "'()*.png"]) {
          const { imageUrl } = m.ownImage("0000abcd", { name, blob: null, facts: {} });
          const last = imageUrl.slice("images/0000abcd/".length);
          urls.push([decodeURIComponent(last) === name, /[/?#\\\\ ]/.test(last)]);
        }
        return urls;
        """,
    )
    assert found == [[True, False]] * 3


def test_each_series_has_a_token_of_its_own(rules: Rules) -> None:
    made = (
        "const made = m.makeToken(); return [/^[0-9a-f]{8}$/.test(made), made !== m.makeToken()];"
    )
    assert rules.run("console/tokens.js", made) == [True, True]


def test_a_showing_belongs_to_its_picture_wherever_that_was_moved(rules: Rules) -> None:
    found = rules.run(
        "console/standings.js",
        MAKE
        + """
        const row = (imageIndex, name, sentAt) =>
          ({ imageIndex, imageUrl: `images/abc/${name}`, sentAt });
        const tell = (images, rows) =>
          [...m.standingsOf(images, rows)].map(([place, { sentAt }]) => [place, sentAt]);
        const moved = [..."cab"].map((name) => make(name));
        const twice = [..."aba"].map((name) => make(name));
        const rows = [row(0, "a", 1), row(1, "b", 2), row(2, "c", 3), row(3, "gone", 4)];
        return [tell(moved, [...rows, row(0, "c", 5)]), tell(twice, [...rows, row(2, "a", 6)])];
        """,
    )
    assert found == [[[1, 1], [2, 2], [0, 5]], [[0, 1], [1, 2], [2, 6]]]


def test_files_that_lie_deeper_in_a_chosen_folder_are_left_out_and_its_folders_are_named(
    rules: Rules,
) -> None:
    found = rules.run(
        "console/gathering.js",
        """
        const paths = ["b/1.png", "b/x/2.png", "b/x/y/3.png", "b/.git/4.png", "b/__MACOSX/5.png"];
        const named = (path) => ({ name: path.split("/").at(-1), webkitRelativePath: path });
        const files = paths.map(named);
        const one = [{ name: "1.png", webkitRelativePath: "" }];
        return [m.gatherChosen(files), m.gatherChosen(one), m.gatherChosen([...one, ...one])].map(
          ({ name, files, folders, isFolder }) => [name, files.length, folders, isFolder],
        );
        """,
    )
    assert found == [["b", 1, ["x"], True], ["1.png", 1, [], False], ["", 2, [], False]]


LISTED = """
const taken = ["a.png", "b.png", "c\u0308.png", "d.png"].map((name) => ({ name }));
const leftOut = ["notes.txt", "list.csv", "cut.png"].map((name) => ({ name }));
const told = [];
for (const lists of given) {
  const files = Object.entries(lists).map(([name, text]) => new File([text], name));
  told.push(
    await m.byTheirList({ taken, leftOut }, files).then(
      ({ taken, leftOut }) => [
        taken.map(({ name, extra }) => [name, extra ?? null]),
        leftOut.map(({ name }) => name),
      ],
      ({ message }) => message,
    ),
  );
}
return told;
"""


def test_a_list_beside_pictures_says_which_are_shown_in_which_order_and_what_is_to_be_recorded(
    rules: Rules,
) -> None:
    all_of_them = [[name, None] for name in ("a.png", "b.png", "c\u0308.png", "d.png")]
    left_out = ["notes.txt", "list.csv", "cut.png"]
    csv = "imageUrl,condition\nb.png,left\n\u010b.png,\nb.png,right\n"
    csv = csv.replace("\u010b", "c\u0308")
    web = "https://example.org/a.png"
    cases: list[tuple[dict[str, str], object]] = [
        ({}, [all_of_them, left_out]),
        ({"notes.txt": "of the 2nd", "x.json": "{", "y.csv": "a,b"}, [all_of_them, left_out]),
        ({"list.csv": f"imageUrl,signedUrl\n{web},{web}"}, [all_of_them, left_out]),
        (
            {"list.csv": csv},
            [
                [
                    ["b.png", {"condition": "left"}],
                    ["c\u0308.png", {"condition": ""}],
                    ["b.png", {"condition": "right"}],
                ],
                ["notes.txt", "cut.png", "a.png", "d.png"],
            ],
        ),
        (
            {"list.json": '[{"imageUrl": "d.png", "block": 2}]'},
            [[["d.png", {"block": 2}]], [*left_out, "a.png", "b.png", "c\u0308.png"]],
        ),
        (
            {"list.json": '[{"imageUrl": "e.png"}]'},
            "Image 1 of the list list.json is e.png, and there is no picture of this name beside it"
            " that can be shown; drop both together, or correct the list.",
        ),
        (
            {"list.json": '[{"imageUrl": "a.png"}', "more.csv": "x"},
            "The list list.json is not JSON",
        ),
        (
            {"1.csv": "imageUrl\na.png", "2.csv": "imageUrl\nb.png"},
            "1.csv and 2.csv both list these pictures; drop them with one of the two.",
        ),
    ]
    given = json.dumps([lists for lists, _ in cases])
    body = f"return (async () => {{ const given = {given}; {LISTED} }})();"
    found = rules.run("console/picture_lists.js", body)
    for (_, expected), one in zip(cases, found, strict=True):
        if isinstance(expected, str):
            assert one.startswith(expected)
        else:
            assert one == expected


def test_a_study_beside_pictures_shows_them_with_its_texts_and_what_it_asks(rules: Rules) -> None:
    study = {
        "name": "Two",
        "end": "Bye.",
        "entries": [
            {"imageUrl": "b.png", "showFor": 200, "respond": "f", "id": 7},
            {"text": "+", "frames": 3},
            {"imageUrl": "b.png", "condition": "A"},
        ],
    }
    body = f"""
    return (async () => {{
      const taken = ["a.png", "b.png"].map((name) => ({{ name, blob: null, facts: {{}} }}));
      const files = [new File([{json.dumps(json.dumps(study))}], "two.json")];
      const found = await m.byTheirList({{ taken, leftOut: [] }}, files);
      const listed = found.listed("0000abcd").map(({{ own, ...image }}) => image);
      return [listed, found.study, found.taken.length, found.leftOut.map(({{ name }}) => name)];
    }})();
    """
    listed, known, count, left_out = rules.run("console/picture_lists.js", body)
    respond = {"keys": ["f"], "taps": False, "ends": False}
    token = known.pop("token")
    own = {"imageUrl": "images/0000abcd/b.png", "signedUrl": None}
    assert listed == [
        {**own, "trial": {"showFor": 200, "respond": respond}, "extra": {"id": 7}, "id": 7},
        {"imageUrl": f"texts/{token}/1", "signedUrl": None, "trial": {"frames": 3, "text": "+"}},
        {**own, "extra": {"condition": "A"}},
        {"imageUrl": f"texts/{token}/3", "signedUrl": None, "trial": {"text": "Bye."}},
    ]
    assert known == {"name": "Two", "order": "given", "seed": None, "entries": 4}
    assert (count, left_out) == (2, ["a.png"])
