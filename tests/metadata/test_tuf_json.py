"""TUF's own envelope: two ways to read it, one verdict, and the bytes that were signed are those that came."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metadata.documents import BINS, DOCUMENTS, compact, document, enveloped, reference_canonical
from tuffet.errors import FormatError
from tuffet.metadata import TUF_JSON, Envelope, Root, Targets, Timestamp, TufJson
from tuffet.metadata.tuf_json import _parse_any, _parse_known

KINDS = [*DOCUMENTS.items(), (Targets, BINS)]


def judged(parse: Any, data: bytes, kind: type[Any]) -> object:
    """Return all that a way of reading makes of a text, or the word for its refusal."""
    try:
        envelope: Envelope[Any] | None = parse(data, kind)
    except FormatError:
        return "refused"
    return envelope and (envelope.signed, envelope.signatures, envelope.payload, envelope.unknown)


class Pairs(list[tuple[str, Any]]):
    """An object as the pairs that it is written with, so that a name may come twice."""


def paired(value: Any) -> Any:
    if isinstance(value, dict):
        return Pairs((name, paired(item)) for name, item in value.items())
    return [paired(item) for item in value] if isinstance(value, list) else value


def objects_in(value: Any) -> list[Pairs]:
    if not isinstance(value, list):
        return []
    inner = [found for item in value for found in objects_in(item[1] if isinstance(value, Pairs) else item)]
    return [value, *inner] if isinstance(value, Pairs) else inner


def has_repeats(value: Any) -> bool:
    return any(len(dict(pairs)) != len(pairs) for pairs in objects_in(value))


class Writer:
    """Writes pairs as JSON in one of the many ways in which the same document can be written."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._in_order = chance.random() < 0.7
        self._blank = chance.choice(["", "", " ", "\n  ", "\t\r\n"])
        self._escapes = chance.random() < 0.3

    def write(self, value: Any) -> str:
        blank = self._blank
        if isinstance(value, Pairs):
            ordered = sorted(value, key=lambda pair: pair[0]) if self._in_order else self._chance.sample(value, len(value))
            return f"{{{blank}" + f",{blank}".join(f"{self._text(name)}:{blank}{self.write(item)}" for name, item in ordered) + f"{blank}}}"
        if isinstance(value, list):
            return f"[{blank}" + f",{blank}".join(map(self.write, value)) + f"{blank}]"
        return self._text(value) if isinstance(value, str) else json.dumps(value)

    def _text(self, text: str) -> str:
        if not self._escapes:
            return json.dumps(text, ensure_ascii=False)
        escaped = [f"\\u{ord(letter):04x}" if letter < "\uffff" and self._chance.random() < 0.2 else letter for letter in text]
        return '"' + "".join(each if len(each) > 1 else json.dumps(each, ensure_ascii=False)[1:-1] for each in escaped) + '"'


NAMES = ["x-new", "\uffff", "signed", "signatures", "keyid", "version", "a name", 'quote"', "_type", "custom", "sha256", "sha3-256"]
VALUES = [0, 1, 2, "", "x y", 'a "quote"', "\\", "\n", "ab" * 32, "\uffff", None, True, [], ["k1"], 2**64, -1, 1.5]


def change(document: Any, chance: random.Random) -> None:
    """Do one thing to one object somewhere in a document: what an editor, a fuzzer or an attacker would do."""
    pairs = chance.choice([each for each in objects_in(document) if each] or [document])
    index = chance.randrange(len(pairs)) if pairs else 0
    name = chance.choice(NAMES)
    value = paired(chance.choice([*VALUES, {"inner": 1}, {"inner": {"\uffff": []}}]))
    match chance.randrange(6) if pairs else 0:
        case 0 | 1:
            pairs.append((name, value))
        case 2:
            pairs.insert(chance.randrange(len(pairs) + 1), (pairs[index][0], chance.choice([pairs[index][1], value])))
        case 3:
            pairs[index] = (name, pairs[index][1])
        case 4:
            pairs[index] = (pairs[index][0], value)
        case _:
            del pairs[index]


@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.integers(0, 3))
@settings(max_examples=1200, derandomize=True, deadline=None)
def test_the_quick_way_and_the_long_way_agree(seed: int, kind: tuple[type[Any], dict[str, Any]], changes: int) -> None:
    """One verdict, one payload and the same signed bytes for any text; a repeated name is refused wherever it is (B007).

    And what is signed MUST be the canonical form of the received value (4.2.1), as the reference implementation makes it.
    """
    chance = random.Random(seed)
    whole = paired(enveloped(kind[1], "k1", "k2"))
    for _ in range(changes):
        change(whole, chance)
    text = Writer(chance).write(whole).encode()

    quick, long = judged(_parse_known, text, kind[0]), judged(_parse_any, text, kind[0])
    verdict = judged(TUF_JSON.parse, text, kind[0])
    assert quick in (None, long)
    assert verdict in (long, "refused")
    if has_repeats(whole):
        assert long == "refused"
    elif isinstance(long, tuple):
        assert long[0] == reference_canonical(json.loads(text)["signed"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0].__name__)
def test_files_as_tuf_tools_write_them_take_the_quick_way(kind: tuple[type[Any], dict[str, Any]]) -> None:
    """Sorted text does, compact or laid out; a blank inside a string costs only the laid-out one the long way."""
    good = enveloped(kind[1], "k1", "k2")
    assert judged(_parse_known, compact(good), kind[0]) == judged(_parse_any, compact(good), kind[0])
    assert _parse_known(compact(good), kind[0]) is not None
    laid_out = json.dumps(good, sort_keys=True, indent=1).encode()
    assert (_parse_known(laid_out, kind[0]) is None) == (b"with blank" in laid_out)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("the signed part comes twice, the same", b'{"signatures":[],"signed":%(doc)s,"signed":%(doc)s}'),
        ("the signed part comes twice, the first one hidden", b'{"signed":{},"signatures":[],"signed":%(doc)s}'),
        ("the signatures come twice", b'{"signatures":[],"signatures":[],"signed":%(doc)s}'),
        ("a name in a signature comes twice", b'{"signatures":[{"keyid":"a","keyid":"b","sig":"c"}],"signed":%(doc)s}'),
        ("an escaped name comes twice", rb'{"signature\u0073":[],"signatures":[],"signed":%(doc)s}'),
        ("a keyid is a name that comes twice", b'{"signatures":[{"keyid":"keyid","sig":"a","sig":"b"}],"signed":%(doc)s}'),
        ("an object is repeated in the signed part", b'{"signatures":[],"signed":{"meta":{},%(rest)s}'),
        ("a scalar is repeated in the signed part", b'{"signatures":[],"signed":{"version":3,%(rest)s}'),
        ("a laid-out scalar is repeated", b'{ "signatures" : [] , "signed" : { "version" : 3 , %(rest)s }'),
    ],
)
def test_a_name_that_comes_twice_is_refused(why: str, text: bytes) -> None:
    """No place is special (B007): two readers of such a file could believe two different things."""
    doc = compact(document(Timestamp))
    data = text % {b"doc": doc, b"rest": doc[1:]}
    assert json.loads(data)["signed"] == document(Timestamp)
    with pytest.raises(FormatError, match="repeated"):
        TUF_JSON.parse(data, Timestamp)


def test_a_document_may_hold_a_field_with_our_own_inner_name() -> None:
    """A field that is literally named U+FFFF is one more unknown field, at the top and below, and it is signed."""
    doc = document(Timestamp)
    doc["\uffff"] = {"a": 1}
    doc["meta"]["snapshot.json"]["\uffff"] = None
    doc["meta"]["snapshot.json"]["hashes"]["\uffff"] = "x"
    envelope = TUF_JSON.parse(compact(enveloped(doc)), Timestamp)
    assert envelope.signed == reference_canonical(doc) == TUF_JSON.signed_bytes(envelope.payload)
    assert envelope.payload.unknown == {"\uffff": {"a": 1}}


@pytest.mark.parametrize(
    ("why", "data", "where"),
    [
        ("an array", b"[]", "document: expected an object"),
        ("null (B088)", b"null", "document: expected an object"),
        ("a number", b"7", "document: expected an object"),
        ("nothing inside (B083)", b"{}", "document: signatures is missing"),
        ("no signed part", b'{"signatures":[]}', "document: signed is missing"),
        ("no signatures", b'{"signed":{}}', "document: signatures is missing"),
        ("signatures that are null", b'{"signatures":null,"signed":%s}', r"document\.signatures: expected `array`"),
        ("a signature that is null", b'{"signatures":[null],"signed":%s}', r"document\.signatures\[0\]: expected `object`"),
        ("a signature without a keyid", b'{"signatures":[{"sig":""}],"signed":%s}', r"document\.signatures\[0\]: .*keyid"),
        ("a signature that is a number", b'{"signatures":[{"keyid":"a","sig":1}],"signed":%s}', r"document\.signatures\[0\]\.sig: "),
        ("a signed part that is null", b'{"signatures":[],"signed":null}', "signed: expected an object"),
        ("a signed part that is an array", b'{"signatures":[],"signed":[]}', "signed: expected an object"),
        ("a signed part without a type", b'{"signatures":[],"signed":{"version":1}}', r"signed\._type: expected 'timestamp'"),
        ("too many signatures (B012)", b'{"signatures":[%%s],"signed":%s}', "signatures: more than 4096"),
    ],
)
def test_envelopes_that_are_none(why: str, data: bytes, where: str) -> None:
    """Refused before any key is looked at, and the message names the place (B083, B088, B114)."""
    if b"%" in data:
        data %= compact(document(Timestamp))
    if b"%" in data:
        data %= b",".join(b'{"keyid":"%d","sig":""}' % number for number in range(4097))
    with pytest.raises(FormatError, match=f"^{where}"):
        TUF_JSON.parse(data, Timestamp)


@pytest.mark.parametrize("asked", DOCUMENTS)
@pytest.mark.parametrize("given_", DOCUMENTS)
def test_a_document_of_another_kind_is_none(asked: type[Any], given_: type[Any]) -> None:
    """`_type` is compared with what was expected there, never trusted to say what to expect (B049)."""
    data = compact(enveloped(document(given_)))
    if asked is given_:
        assert isinstance(TUF_JSON.parse(data, asked).payload, asked)
        return
    with pytest.raises(FormatError, match=rf"^signed\._type: expected '{asked.__name__.lower()}'$"):
        TUF_JSON.parse(data, asked)


def test_a_keyid_signs_once_unless_the_dialect_allows_more() -> None:
    """Rejected by default, as the specification demands; TAP 12 is a policy switch (VARIANTS X4, B112)."""
    data = compact(enveloped(document(Timestamp), "a", "b", "a"))
    with pytest.raises(FormatError, match=r"^signatures\[2\]\.keyid: 'a' signs twice$"):
        TUF_JSON.parse(data, Timestamp)
    assert len(TufJson(tap12_duplicates=True).parse(data, Timestamp).signatures) == 3


def test_unknown_fields_around_the_signed_part_survive() -> None:
    """They are not signed, and they are carried (B051: more of them must not break anything either)."""
    whole = {**enveloped(document(Root)), "x-note": {"a": [1]}, "\uffff": 1}
    whole["signatures"][0]["x-when"] = "today"
    envelope = TUF_JSON.parse(compact(whole), Root)
    assert envelope.unknown == {"x-note": {"a": [1]}, "\uffff": 1}
    assert envelope.signatures[0].unknown == {"x-when": "today"}
    sealed = TUF_JSON.seal(envelope.payload, [("k1", b"\xbe\xef")], envelope.unknown)
    assert json.loads(sealed) == {**whole, "signatures": [{"keyid": "k1", "sig": "beef"}]}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_is_sealed_is_read_again_quickly(kind: type[Any]) -> None:
    payload = TUF_JSON.parse(compact(enveloped(document(kind))), kind).payload
    sealed = TUF_JSON.seal(payload, [("k1", b"\x01\x02"), ("k2", b"")])
    envelope = _parse_known(sealed, kind)
    assert envelope is not None
    assert (envelope.payload, envelope.signed) == (payload, TUF_JSON.signed_bytes(payload))
    assert [envelope.decode(signature.sig) for signature in envelope.signatures] == [b"\x01\x02", b""]
