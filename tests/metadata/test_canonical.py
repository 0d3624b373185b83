"""The bytes that keys sign, against the written rules and against the reference implementation's encoder."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.metadata.documents import reference_canonical
from tuffet.errors import FormatError
from tuffet.metadata.canonical import canonical, encode_canonical, encode_json, parse_json

VECTORS = [
    # text, canonical bytes, their SHA-256 as the description of the format states it
    (b"{}", b"{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
    (b"[]", b"[]", "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"),
    (b'""', b'""', "12ae32cb1ec02d01eda3581b127c1fee3b0dc53572ed6baf239721a03d82e126"),
    (
        b'{"b":1,"a":[true,false,null]}',
        b'{"a":[true,false,null],"b":1}',
        "087e44ed138472a81a4a0f8ae84e8f358d0d957d27f51123952aa88c007b1f9f",
    ),
    (rb'{ "a" : "x\ny" }', b'{"a":"x\ny"}', "e50518e5f4ff267b8dabe5cdbc33ea2e00e7a17ab56617325390c4d33c1c1867"),
    (
        rb'"\u00e9\u0022\u005c\/"',
        '"é\\"\\\\/"'.encode(),
        "bc0d0c9615230f2bfec8ecaf754d667f1566adeac9d7ef13a8d409eeab47e982",
    ),
    (
        rb'{"\ud83d\ude00":1,"\uff61":2}',
        '{"｡":2,"😀":1}'.encode(),
        "d1d83ba6bff40585e1333a6ebe5e3eaf5edbc7ade11fc9578bb15a93583600f6",
    ),
    (b"-12345678901234567890", b"-12345678901234567890", "5ae2a7363ad016a6fce9a21805f9e7da3dfed9cc4777afa6d055110c871b8f65"),
    (
        b'{"a":{"z":1,"y":""},"A":0}',
        b'{"A":0,"a":{"y":"","z":1}}',
        "e1ebfeedcd1c4d214e364a396a5a92f6bca1a840403ebdfb83240429ad884a25",
    ),
    (rb'"\u0000\u007f"', b'"\x00\x7f"', "4efb2774cfc6135762b9f470d9f3350ed96d9225ad62a71d4619e2131f164049"),
    (b'"<&>"', b'"<&>"', "9e7b000e9d486793cba49fcb8d3796df9c24450388a997250c4e644198a082bb"),
]

Refused = type("Refused", (), {})
REFUSED = Refused()


def ours(text: bytes) -> object:
    try:
        return canonical(parse_json(text)[1])
    except FormatError:
        return REFUSED


def reference(text: bytes) -> object:
    """Return what json and securesystemslib make of a text, or REFUSED, also for a repeated name."""

    def no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a repeated name")
        return dict(pairs)

    try:
        # json.loads guesses at UTF-16 and skips a byte order mark if it is given bytes.
        return reference_canonical(json.loads(text.decode(), object_pairs_hook=no_repeats))
    except Exception:  # noqa: BLE001  whatever the reference raises, it refuses
        return REFUSED


@pytest.mark.parametrize(("text", "expected", "digest"), VECTORS)
def test_the_vectors_of_the_format(text: bytes, expected: bytes, digest: str) -> None:
    """Nothing but quotes and backslashes is escaped; names are sorted by code point; integers are as long as they are."""
    assert ours(text) == expected
    assert hashlib.sha256(expected).hexdigest() == digest
    assert encode_canonical(json.loads(text)) == expected


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("a name is repeated", b'{"a":1,"a":1}'),
        ("a name is repeated in another spelling (B007)", rb'{"a":1,"\u0061":2}'),
        ("a name is repeated deep inside", b'[{"a":[{"b":1,"c":2,"b":1}]}]'),
        ("a repeated name whose quotes are made up for by escaped ones", rb'{"a":"","a":"\u0022\u0022"}'),
        ("a repeated name with a quote in it", rb'{"\"":1,"\u0022":2}'),
        ("a fraction", b'{"a":1.0}'),
        ("an exponent", b"1e3"),
        ("a fraction in a member that is repeated", b'{"a":1.5,"a":1}'),
        ("not a number", b"NaN"),
        ("infinity", b"-Infinity"),
        ("a leading zero", b"01"),
        ("a plus sign", b"+1"),
        ("a lone high surrogate", rb'"\ud800"'),
        ("a lone low surrogate", rb'"\udc00x"'),
        ("two high surrogates", rb'"\ud800\ud800"'),
        ("a surrogate in UTF-8", b'"\xed\xa0\x80"'),
        ("bytes that are no UTF-8", b'"\xff"'),
        ("an overlong encoding", b'"\xc0\xaf"'),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("UTF-16", "{}".encode("utf-16")),
        ("trailing data", b"{} {}"),
        ("a trailing comma", b"[1,]"),
        ("single quotes", b"{'a':1}"),
        ("a comment", b"{} // so"),
        ("a raw control character", b'"\n"'),
        ("no text", b""),
        ("only blanks", b"  "),
        ("an integer so long that reading it takes minutes (B003)", b"1" * 5_000_000),
        ("a nesting so deep that it exhausts the stack", b"[" * 1_000_000 + b"]" * 1_000_000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_text_that_means_nothing_or_two_things(why: str, text: bytes) -> None:
    """Strict parsing (VARIANTS X7): refused by name, whatever it is, and in no time."""
    with pytest.raises(FormatError, match=r"^(document|signed): "):
        parse_json(text)


def test_the_refusal_names_the_repeated_name() -> None:
    with pytest.raises(FormatError, match=r"^document: the name 'b' is repeated in one object$"):
        parse_json(b'{"a":1,"b":{"c":1},"c":1,"b":1}')


def test_what_an_escape_hides_is_counted_rightly() -> None:
    """Escaped quotes must not make a good text look suspicious, nor a suspicious one good."""
    assert ours(rb'{"a":"\u0022"}') == b'{"a":"\\""}'
    assert ours(rb'{"\u0022":"\"\\\""}') == rb'{"\"":"\"\\\""}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, st.sampled_from([None, 1]), st.booleans(), st.booleans())
@settings(max_examples=150, derandomize=True, deadline=None)
def test_any_value_has_the_reference_implementations_bytes(value: Any, indent: int | None, ascii_only: bool, shuffled: bool) -> None:
    """The canonical form of a value MUST be the one that other implementations sign (4.2.1), however it was laid out."""
    expected = reference_canonical(value)
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, sort_keys=not shuffled).encode()
    assert ours(text) == encode_canonical(value) == expected


# Pieces that come together to JSON often enough, and to nearly-JSON even more often.
scraps = st.sampled_from(
    [
        *('"', '"a"', '"b"', r'"\u0061"', r'"\u0022"', r'"\""', r'"\ud83d\ude00"', r'"\ud800"', r'"\n\u001f"', '"\uffff"', '"é"', '"\x7f"'),
        *("{", "}", "[", "]", ":", ",", " ", "\n", "1", "-0", "0", "-", "1.5", "1e2", "18446744073709551616", "true", "null", "NaN", "\\"),
    ]
)
members = st.tuples(
    st.sampled_from(['"a"', '"b"', r'"\u0061"', r'"\u0022"', r'"\""', '"\uffff"', '""']),
    st.sampled_from([':"x"', ":1", ": -0", ":{}", r':"\u0022"', r':"\"\""', ':{"a":1,"a":2}', ":1.5", ':["a" ,"a"]', r':"\udead"']),
).map("".join)
texts = st.one_of(
    st.lists(scraps, max_size=12).map("".join).map(str.encode),
    st.lists(members, max_size=5).map(lambda each: ("{" + " ,".join(each) + "}").encode()),
    st.binary(max_size=12),
)


@given(texts)
@example(b'{"a":"x","a":"x"}')
@settings(max_examples=700, derandomize=True, deadline=None)
def test_any_text_gets_the_reference_implementations_verdict(text: bytes) -> None:
    """Accepted is exactly what "parse, canonicalise" accepts, less repeated names (B007), and with the same bytes."""
    assert ours(text) == reference(text)


@given(json_values)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_what_is_written_is_read_again(value: Any) -> None:
    wire = encode_json(value)
    assert parse_json(wire) == (value, wire)
