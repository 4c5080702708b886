"""Tokens: what is taken, what is refused, and with which words.

Forgeries are put together by hand here, because PyJWT would refuse to make most of them.
"""

import base64
import hmac
import json
import re
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.protocol.errors import InputError, Unauthorized
from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import LEEWAY, MAX_TOKEN, mint_token, token_reader
from tests.kit.wire_texts import LAW, RAW_JSON

#: As long as HS512 wants it, so that PyJWT signs with every HMAC without a warning.
SECRET = b"the secret of the relay, in a number of bytes that is 64 in all!"
OTHER_SECRET = SECRET[::-1]
HOUR = 3600


def timeless(item: object) -> str:
    """A test's name, the same whenever it is collected."""
    return re.sub(r"\d{8,}(\.\d+)?", "now", str(item))


GOOD: dict[str, Any] = {"sub": "dr-lee", "role": "evaluator", "exp": int(time.time()) + HOUR}

read = token_reader(SECRET)


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def forge(payload: str | bytes, header: object = None, *, secret: bytes = SECRET) -> str:
    """A token with this payload and header, signed with HMAC and SHA-256 whatever they say."""
    head = json.dumps({"alg": "HS256", "typ": "JWT"} if header is None else header).encode()
    text = payload.encode() if isinstance(payload, str) else payload
    signed = f"{encoded(head)}.{encoded(text)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def sign(**claims: object) -> str:
    """A token of ours with these claims; None leaves one of the good ones out."""
    merged = {**GOOD, **claims}
    return forge(json.dumps({name: value for name, value in merged.items() if value is not None}))


def refusal(token: str) -> str:
    """The text with which it is refused, which repeats nothing of it."""
    with pytest.raises(Unauthorized) as refused:
        read(token)
    error = refused.value
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    text = str(error)
    assert "\n" not in text
    for part in token.split("."):
        assert len(part) < 4 or part not in text
    return text


# ── what is taken ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "claims",
    [
        Claims("dr-lee", Role.EVALUATOR),
        Claims("patient-7", Role.CLIENT, "Patient 7"),
        Claims("x" * 128, Role.CLIENT, "y" * 128),
        Claims("Zoë 😀", Role.CLIENT, ""),
        Claims("patient-7", Role.CLIENT, group="ward 3"),
        Claims("dr-lee", Role.EVALUATOR, group="ward 3", clients=frozenset({"a", "Zoë 😀"})),
        Claims("dr-lee", Role.EVALUATOR, clients=frozenset()),
        Claims("dr-lee", Role.EVALUATOR, group="g" * 128, clients=frozenset({"x" * 128})),
    ],
    ids=["plain", "named", "longest", "not ASCII", "in a group", "limited", "sees nobody", "long"],
)
def test_a_token_that_we_made_says_what_we_put_into_it(claims: Claims) -> None:
    assert read(mint_token(SECRET, claims, 60)) == claims


def test_plain_pyjwt_reads_our_tokens_and_finds_their_times() -> None:
    before = time.time()
    token = mint_token(SECRET, Claims("c", Role.CLIENT, "C"), 90)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["role"], claims["name"]) == ("c", "client", "C")
    assert before + 90 <= claims["exp"] <= time.time() + 91
    assert int(before) <= claims["iat"] <= time.time()
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert "name" not in jwt.decode(
        mint_token(SECRET, Claims("c", Role.CLIENT), 90), SECRET, algorithms=["HS256"]
    )


def test_we_read_the_tokens_of_plain_pyjwt() -> None:
    token = jwt.encode({**GOOD, "name": "Dr. Lee"}, SECRET, algorithm="HS256")
    assert read(token) == Claims("dr-lee", Role.EVALUATOR, "Dr. Lee")


@pytest.mark.parametrize("exp", [GOOD["exp"], time.time() + HOUR + 0.5], ids=["whole", "a float"])
def test_when_a_token_expires_is_known_of_it(exp: float) -> None:
    assert read(sign(exp=exp)).expires_at == exp


def test_a_limit_that_says_the_same_twice_says_it_once() -> None:
    assert read(sign(clients=["b", "a", "b"])).clients == frozenset({"a", "b"})


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": GOOD["exp"]},
        {"iat": "yesterday"},
        {"aud": "another service"},
        {"aud": ["a", 7]},
        {"iss": "https://login.example"},
        {"iss": 7},
        {"jti": 7},
        {"nbf": 0},
        {"nbf": time.time() - 0.5},
        {"exp": time.time() + HOUR + 0.5},
        {"scope": {"of": ["any", "shape"]}},
    ],
    ids=timeless,
)
def test_what_does_not_concern_us_is_no_reason_to_refuse(claims: dict[str, object]) -> None:
    assert read(sign(**claims)) == Claims("dr-lee", Role.EVALUATOR)


def test_a_name_of_null_is_none() -> None:
    assert read(forge(json.dumps({**GOOD, "name": None}))).name is None


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_an_expired_token_is_told_so() -> None:
    expected = "the token has expired; ask for a new one"
    for exp in (0, -1, 1.5, int(time.time()) - 1, time.time() - 0.01):
        assert refusal(sign(exp=exp)) == expected


def test_a_token_is_refused_from_the_moment_on_that_it_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = mint_token(SECRET, Claims("c", Role.CLIENT), 60)
    exp: int = jwt.decode(token, SECRET, algorithms=["HS256"])["exp"]
    monkeypatch.setattr(time, "time", lambda: exp - 0.001)
    assert read(token).user_id == "c"
    monkeypatch.setattr(time, "time", lambda: float(exp))
    assert "expired" in refusal(token)


def test_a_token_for_later_is_told_so() -> None:
    text = refusal(sign(nbf=time.time() + LEEWAY + 5))
    assert text == "the token is not valid yet; wait, or check the clock of its issuer"


def test_the_clock_of_who_makes_tokens_may_be_ahead_by_a_minute_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = sign(nbf=GOOD["exp"] - 1000)
    for before, is_taken in ((LEEWAY, True), (LEEWAY + 0.001, False)):
        monkeypatch.setattr(time, "time", lambda before=before: GOOD["exp"] - 1000 - before)
        if is_taken:
            assert read(token).user_id == "dr-lee"
        else:
            assert "not valid yet" in refusal(token)


def no_jwt() -> str:
    return "the token is no JSON Web Token; check that all of it was copied, and nothing else"


def wrong_signature() -> str:
    return "the token was not made with this relay's secret; ask for one that was"


def wrong_algorithm() -> str:
    return "the token is not signed with HS256; ask for one that is"


def test_a_token_that_was_made_with_another_secret_is_refused() -> None:
    for token in (
        mint_token(OTHER_SECRET, Claims("c", Role.CLIENT), 60),
        forge(json.dumps(GOOD), secret=b""),
        forge(json.dumps(GOOD), secret=SECRET + b"\n"),
    ):
        assert refusal(token) == wrong_signature()


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_the_right_secret_with_another_hash_is_refused(algorithm: str) -> None:
    assert refusal(jwt.encode(GOOD, SECRET, algorithm=algorithm)) == wrong_algorithm()


@pytest.mark.parametrize(
    "alg",
    ["none", "None", "NONE", "", "hs256", "RS256", "ES256", "PS256", "EdDSA", None, 256, ["HS256"]],
)
def test_a_header_that_names_another_algorithm_is_refused_even_if_our_secret_signed_it(
    alg: object,
) -> None:
    assert refusal(forge(json.dumps(GOOD), {"alg": alg})) == wrong_algorithm()


def test_a_token_that_names_no_algorithm_or_is_not_signed_is_refused() -> None:
    assert refusal(forge(json.dumps(GOOD), {"typ": "JWT"})) == wrong_algorithm()
    unsigned = jwt.encode(GOOD, "", algorithm="none")
    assert unsigned.endswith(".")
    assert refusal(unsigned) == wrong_algorithm()
    assert refusal(sign().rpartition(".")[0] + ".") == wrong_signature()


def test_a_header_that_asks_for_more_than_we_know_is_refused() -> None:
    assert refusal(forge(json.dumps(GOOD), {"alg": "HS256", "b64": False})) == no_jwt()
    assert refusal(forge(json.dumps(GOOD), ["HS256"])) == no_jwt()


@pytest.mark.parametrize("part", [0, 1, 2])
def test_no_part_of_a_token_can_be_replaced_by_that_of_another(part: int) -> None:
    ours = sign().split(".")
    theirs = forge(
        json.dumps({**GOOD, "sub": "somebody else"}), {"alg": "HS256"}, secret=OTHER_SECRET
    ).split(".")
    ours[part] = theirs[part]
    assert refusal(".".join(ours)) == wrong_signature()


def test_no_character_of_a_token_can_be_changed() -> None:
    token = sign()
    for place, character in enumerate(token):
        other = "B" if character == "A" else "A"
        refusal(token[:place] + other + token[place + 1 :])
        refusal(token[:place] + token[place + 1 :])


@pytest.mark.parametrize("claim", ["sub", "role", "exp"])
def test_a_token_without_one_of_its_claims_is_told_which(claim: str) -> None:
    expected = f"the token's claims can't be used (claims.{claim}: missing); ask for a new one"
    assert refusal(sign(**{claim: None})) == expected


ILL_TYPED: list[tuple[str, list[Any], str]] = [
    ("sub", [7, True, ["a"], {"a": 1}], "expected a string"),
    ("sub", [""], "expected 1 to 128 characters"),
    ("sub", ["x" * 129], "expected at most 128 characters"),
    ("sub", ["a\nb", "a\x1b[2J", "a\u202eb"], "expected printable characters only"),
    ("sub", ["\ud800"], "expected Unicode text"),
    ("role", ["admin", "", "Client", 7, True, ["client"]], "expected one of evaluator, client"),
    ("exp", ["2099-01-01", str(GOOD["exp"]), True, [1], {}, 2**53 + 2, 1e300], "expected a number"),
    ("nbf", ["now", False, [1]], "expected a number"),
    ("name", [7, False, ["a"]], "expected a string"),
    ("name", ["x" * 129], "expected at most 128 characters"),
    ("name", ["a\tb", "\x00"], "expected printable characters only"),
    ("group", [7, True, ["ward 3"], {"is": 3}], "expected a string"),
    ("group", [""], "expected 1 to 128 characters"),
    ("group", ["x" * 129], "expected at most 128 characters"),
    ("group", ["a\nb", "\u202e"], "expected printable characters only"),
    ("clients", ["carl", 7, True, {"carl": 1}], "expected a list"),
    ("clients", [[7], ["carl", None], [["carl"]], [{"sub": "carl"}]], "expected a string"),
    ("clients", [[""], ["carl", ""]], "expected 1 to 128 characters"),
    ("clients", [["x" * 129]], "expected at most 128 characters"),
    ("clients", [["a\nb"]], "expected printable characters only"),
]


@pytest.mark.parametrize(
    ("claim", "value", "why"),
    [(claim, value, why) for claim, values, why in ILL_TYPED for value in values],
    ids=lambda item: timeless(repr(item)[:20]),
)
def test_a_claim_of_the_wrong_kind_is_told_without_its_value(
    claim: str, value: object, why: str
) -> None:
    expected = f"the token's claims can't be used (claims.{claim}: {why}); ask for a new one"
    assert refusal(sign(**{claim: value})) == expected


@pytest.mark.parametrize("claim", ["sub", "role", "exp"])
def test_null_is_no_claim(claim: str) -> None:
    assert f"claims.{claim}: " in refusal(forge(json.dumps({**GOOD, claim: None})))


@pytest.mark.parametrize("claim", ["group", "clients"])
def test_null_is_no_limit_that_was_meant(claim: str) -> None:
    text = refusal(forge(json.dumps({**GOOD, claim: None})))
    assert f"(claims.{claim}: null says nothing; leave it out for no limit)" in text


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ('{"sub":"c","role":"client","exp":NaN}', "not JSON"),
        ('{"sub":"c","role":"client","exp":Infinity}', "not JSON"),
        ('{"sub":"c","role":"client","exp":1e999}', "claims.exp: expected a number"),
        ('{"sub":"c","role":"client","exp":' + "9" * 5000 + "}", "not JSON"),
        ('["sub"]', "claims: expected an object"),
        ("null", "claims: expected an object"),
        ("", "not JSON"),
        (b'{"sub":"\xff\xfe"}', "not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=lambda item: str(item)[:40],
)
def test_claims_that_are_no_strict_json_object_are_refused(payload: str | bytes, why: str) -> None:
    assert refusal(forge(payload)) == f"the token's claims can't be used ({why}); ask for a new one"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer " + sign(),
        sign() + "\n",
        " " + sign(),
        sign() + "." + sign(),
        sign().rpartition(".")[0],
        sign()[:-20],
        sign() * 40,
        "é" * 40,
        "\ud800.\udfff.x",
        "\x00" * 9,
        "x" * 60_000,
        "." * 60_000,
        f"{'x' * 20_000}.{'y' * 20_000}.{'z' * 20_000}",
        encoded(b"[" * 20_000) + ".e30.e30",
        encoded(b'{"alg":' + b"9" * 6000 + b"}") + ".e30.e30",
    ],
    ids=lambda text: repr(text)[:30],
)
def test_garbage_is_refused(text: str) -> None:
    assert refusal(text) in {no_jwt(), wrong_signature()}


def test_a_token_that_is_short_of_its_end_is_told_to_be_copied_whole() -> None:
    assert refusal("eyJhbGciOiJIUzI1NiJ9") == no_jwt()


@LAW
@given(st.text(st.characters()) | st.text("ab.eyJ=-_"))
def test_any_text_is_refused_and_nothing_else_is_raised(text: str) -> None:
    with pytest.raises(Unauthorized):
        read(text)


@LAW
@given(st.one_of(RAW_JSON, st.binary()), st.none() | st.dictionaries(st.text(), st.integers()))
def test_whatever_our_secret_has_signed_is_read_or_refused(
    payload: str | bytes, header: dict[str, int] | None
) -> None:
    text = payload if isinstance(payload, bytes) else payload.encode(errors="surrogatepass")
    with pytest.raises(Unauthorized):
        read(forge(text, None if header is None else {"alg": "HS256", **header}))


WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=128)


@LAW
@given(
    WORDS,
    st.sampled_from(Role),
    st.none() | WORDS,
    st.none() | WORDS,
    st.none() | st.frozensets(WORDS, max_size=3),
    st.floats(1, 1e9),
)
def test_every_identity_goes_through_a_token_unchanged(
    user_id: str,
    role: Role,
    name: str | None,
    group: str | None,
    clients: frozenset[str] | None,
    ttl: float,
) -> None:
    claims = Claims(user_id, role, name, group, clients)
    assert read(mint_token(SECRET, claims, ttl)) == claims


@pytest.mark.parametrize(
    "claims",
    [
        Claims("", Role.CLIENT),
        Claims("x" * 129, Role.CLIENT),
        Claims("a\nb", Role.CLIENT),
        Claims("c", Role.CLIENT, "x" * 129),
        Claims("c\udcff", Role.CLIENT),
        Claims("c", Role.CLIENT, group=""),
        Claims("c", Role.CLIENT, group="a\tb"),
        Claims("e", Role.EVALUATOR, clients=frozenset({"a", ""})),
    ],
    ids=["empty", "long", "line", "long name", "surrogate", "group", "tab", "client"],
)
def test_no_token_is_made_that_we_would_not_take(claims: Claims) -> None:
    with pytest.raises(InputError, match=r"claims\.(sub|name|group|clients): expected"):
        mint_token(SECRET, claims, 60)


def test_no_token_is_made_that_is_too_long_to_register_with() -> None:
    clients = frozenset(f"client-{number:04}" for number in range(400))
    with pytest.raises(InputError, match=rf"and a relay takes {MAX_TOKEN}; name fewer clients"):
        mint_token(SECRET, Claims("e", Role.EVALUATOR, clients=clients), 60)
    some = frozenset(sorted(clients)[:350])
    assert read(mint_token(SECRET, Claims("e", Role.EVALUATOR, clients=some), 60)).clients == some
