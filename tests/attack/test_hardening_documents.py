"""Bugs that other parsers and verifiers had (HARDENING.md), where the rooms below do not test them already."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story
from tests.metadata.documents import BINS, DOCUMENTS, compact, enveloped
from tuffet.errors import FormatError, LimitError, ThresholdError, TuffetError
from tuffet.metadata import TUF_JSON, Dialect, Envelope, Targets, TufJson
from tuffet.metadata.dsse import DSSE, encode_base64
from tuffet.metadata.envelope import T
from tuffet.metadata.schema import Unknown
from tuffet.testing import FakeRepository


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a document, the outermost first."""
    yield path
    if isinstance(value, (dict, list)):
        for step in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[step], (*path, step))


def put(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


WHATEVER: tuple[Any, ...] = (None, True, 0, -1, 2**70, "", "\0", [], {}, [None], {"": None}, [[[]]])


@pytest.mark.parametrize("kind", [*DOCUMENTS, "bins"], ids=lambda kind: kind if isinstance(kind, str) else kind.__name__)
def test_anything_in_the_place_of_anything(kind: Any) -> None:
    """Null, a list or a huge number wherever a document holds something: read or refused, and no other exception (B062, B083, B088)."""
    cls = Targets if kind == "bins" else kind
    whole = enveloped(BINS if kind == "bins" else DOCUMENTS[kind])
    refused = 0
    for path in places(whole):
        for new in WHATEVER:
            try:
                TUF_JSON.parse(compact(put(whole, path, new)), cls)
            except FormatError as error:
                assert error.where  # noqa: PT017  Both endings are good.
                refused += 1
    assert refused > 100


class Counting:
    """A dialect that counts how many signatures are looked at."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect, self.looked = dialect, 0

    def parse(self, data: bytes, kind: type[T]) -> Envelope[T]:
        envelope = self.dialect.parse(data, kind)

        def decode(text: str) -> bytes:
            self.looked += 1
            return envelope.decode(text)

        return Envelope(envelope.signed, envelope.signatures, lambda: envelope.payload, decode, envelope.unknown)

    def signed_bytes(self, payload: T) -> bytes:
        return self.dialect.signed_bytes(payload)

    def seal(self, payload: T, signatures: Any, unknown: Unknown | None = None) -> bytes:
        return self.dialect.seal(payload, signatures, unknown)


JUNK = 1000


@pytest.mark.parametrize("place", ["before the good one", "after the good one", "without a good one"])
def test_a_thousand_junk_signatures(begin: Begin, place: str) -> None:
    """As many signatures are looked at as the role has keys, not as many as somebody sends (B012)."""
    counting = Counting(TUF_JSON)
    repo = FakeRepository()
    extra = repo.new_signers(4)
    held = repo.root.roles["timestamp"]
    keys = {**repo.root.keys, **{signer.keyid: signer.key for signer in extra}}
    timestamp = replace(held, keyids=(*held.keyids, *(signer.keyid for signer in extra)))
    repo.root = replace(repo.root, keys=keys, roles={**repo.root.roles, "timestamp": timestamp})
    repo.serve("1.root.json", repo.sign(repo.root, "root"))
    story = begin(repo, dialect=counting)

    repo.publish("app.bin", b"two")
    junk = [(f"{number:064x}", bytes(64)) for number in range(JUNK)] + [(signer.keyid, bytes(64)) for signer in extra]
    (signer,) = repo.signers["timestamp"]
    good = [(signer.keyid, signer.sign(TUF_JSON.signed_bytes(repo.timestamp)))]
    listed = {"before the good one": junk + good, "after the good one": good + junk, "without a good one": junk}[place]
    # A thousand signatures of this size are more than a timestamp may be, so these are short.
    short = [(keyid[-6:] if keyid.startswith("00") else keyid, raw[:4] if raw == bytes(64) else raw) for keyid, raw in listed]
    repo.serve("timestamp.json", TUF_JSON.seal(repo.timestamp, short))
    counting.looked = 0
    if place == "without a good one":
        asked = UP_TO_TIMESTAMP
        story.refused(ThresholdError, story.client.refresh, attack="arbitrary-software", asked=asked)
    else:
        story.refresh()
    # The held root, timestamp, snapshot and targets are verified again, by one signature each.
    assert counting.looked <= 5 + 6


@pytest.mark.parametrize("dialect", ["TUF JSON", "TAP 12", "DSSE"])
def test_one_key_that_signs_ten_thousand_times(story: Story, repo: FakeRepository, dialect: str) -> None:
    """More signatures than any document needs are refused before one of them is looked at (B012, B104)."""
    speaks: dict[str, Dialect] = {"TUF JSON": TUF_JSON, "TAP 12": TufJson(tap12_duplicates=True), "DSSE": DSSE}
    counting = Counting(speaks[dialect])
    (signer,) = repo.signers["timestamp"]
    data = speaks[dialect].seal(repo.timestamp, [(signer.keyid, b"x")] * 10_000)
    with pytest.raises(FormatError, match="signatures"):
        counting.parse(data, type(repo.timestamp))
    if dialect == "DSSE":
        with pytest.raises(FormatError, match="without a keyid"):
            counting.parse(speaks[dialect].seal(repo.timestamp, [("", b"x")] * 1000), type(repo.timestamp))
    assert counting.looked == 0


HUGE: list[tuple[str, bytes]] = [
    ("an integer of a million digits (B003)", b'{"signatures":[],"signed":{"_type":"timestamp","version":' + b"9" * 60_000 + b"}}"),
    ("arrays nested as deep as they fit", b"[" * 60_000),
    ("objects nested as deep as they fit", b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    ("an unknown field nested deeply", b'{"signatures":[],"signed":{},"x":' + b"[" * 9000 + b"]" * 9000 + b"}"),
    ("sixty thousand names", b'{"signatures":[],"signed":{' + b",".join(b'"%x":0' % number for number in range(7000)) + b"}}"),
    ("the same name again and again", b'{"signed":{},' * 1 + b'"signatures":[],' * 3000 + b'"signatures":[]}'),
    ("escapes without end", b'{"signatures":[],"signed":"' + b"\\u0000" * 10_000 + b'"}'),
    ("a number with an exponent", b'{"signatures":[],"signed":{"version":1e999999}}'),
    ("bytes that are no UTF-8", b'{"signatures":[],"signed":"' + b"\xff" * 100 + b'"}'),
    ("a lone surrogate", b'{"signatures":[],"signed":"\\ud800"}'),
    ("a byte order mark", b"\xef\xbb\xbf{}"),
    ("another encoding", '{"signatures":[],"signed":{}}'.encode("utf-16")),
]


@pytest.mark.parametrize("dialect", [TUF_JSON, DSSE], ids=["TUF JSON", "DSSE"])
@pytest.mark.parametrize("data", [row[1] for row in HUGE], ids=[row[0] for row in HUGE])
def test_documents_made_to_hurt_a_parser(begin: Begin, data: bytes, dialect: Dialect) -> None:
    """Refused as malformed, in place of the timestamp that no key has yet vouched for (B003, B083)."""
    repo = FakeRepository(dialect=dialect)
    story = begin(repo)
    if dialect is DSSE:
        data = json.dumps({"payload": encode_base64(data), "payloadType": "application/vnd.tuf+json", "signatures": []}).encode()[:65_000]
    repo.serve("timestamp.json", data)
    with pytest.raises(TuffetError) as refused:
        story.client.refresh()
    # A DSSE payload is not even read before a key vouches for it.
    assert isinstance(refused.value, (FormatError, ThresholdError) if dialect is DSSE else FormatError)
    assert not isinstance(refused.value, LimitError)


def test_a_signature_never_says_how_it_is_to_be_checked(story: Story, repo: FakeRepository) -> None:
    """A method, a scheme or a key that comes with the signature is a field that nobody knows, and changes nothing (B041)."""
    (stranger,) = repo.new_signers(1)
    repo.publish("app.bin", b"two")
    envelope = json.loads(repo.served("timestamp.json") or b"")
    honest = envelope["signatures"][0]
    fields = {"method": "none", "scheme": "ed25519", "keyval": stranger.key.keyval, "keytype": "ed25519", "key": stranger.keyid}
    envelope["signatures"] = [{**honest, **fields, "sig": stranger.sign(TUF_JSON.signed_bytes(repo.timestamp)).hex()}]
    repo.serve("timestamp.json", json.dumps(envelope).encode())
    error = story.refused(ThresholdError, story.client.refresh, attack="arbitrary-software", asked=UP_TO_TIMESTAMP)
    assert error.proved == ()
    envelope["signatures"] = [{**honest, **fields}]
    repo.serve("timestamp.json", json.dumps(envelope).encode())
    assert story.refresh().timestamp.payload == repo.timestamp


@pytest.mark.parametrize("threshold", [0, -1])
def test_a_threshold_that_nobody_has_to_meet(repo: FakeRepository, begin: Begin, threshold: int) -> None:
    """Zero of no keys is refused as malformed, in a root as in a delegation (B084)."""
    repo.delegate("team", paths=["team/*"])
    story = begin(repo)
    held = repo.roles["targets"].delegations
    assert held
    assert held.roles
    repo.signers["team"] = []
    nobody = replace(held.roles[0], keyids=(), threshold=1)
    repo.change("targets", delegations=replace(held, roles=(nobody,)))
    data = repo.served("4.targets.json") or b""
    unguarded = data.replace(b'"threshold":1', b'"threshold":%d' % threshold)
    assert unguarded != data
    repo.serve("4.targets.json", unguarded)
    asked = (*UP_TO_TIMESTAMP, "4.snapshot.json", "4.targets.json")
    kept = ["timestamp.json", "snapshot.json"]
    error = story.refused(FormatError, story.client.refresh, attack="malformed", asked=asked, kept=kept)
    assert error.where == "signed.delegations.roles[0].threshold"
