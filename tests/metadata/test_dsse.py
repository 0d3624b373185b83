"""DSSE envelopes (TAP 17): the payload is signed as it came, and read only once somebody vouches for it."""

import base64
import json
from typing import Any

import pytest
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.signer._crypto_signer import CryptoSigner
from tuf.api._payload import Root as TheirRoot
from tuf.api._payload import Snapshot as TheirSnapshot
from tuf.api.dsse import SimpleEnvelope

from tests.metadata.documents import DOCUMENTS, compact, document
from tuffet.errors import FormatError, ThresholdError
from tuffet.keys.memory import MemorySigner
from tuffet.metadata import RoleKeys, Root, Snapshot, Timestamp, Unknown, make_key
from tuffet.metadata.dsse import DSSE, PAYLOAD_TYPE, pae
from tuffet.trust.verify import Role, verify


def sealed(inside: bytes, /, *signatures: dict[str, Any], **others: object) -> bytes:
    members = {"payload": base64.b64encode(inside).decode(), "payloadType": PAYLOAD_TYPE, "signatures": list(signatures)}
    return json.dumps({**members, **others}).encode()


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        ("http://example.com/HelloWorld", b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
        ("", b"", b"DSSEv1 0  0 "),
        ("text/ü", "é".encode(), "DSSEv1 7 text/ü 2 é".encode()),
    ],
)
def test_lengths_count_bytes(kind: str, payload: bytes, expected: bytes) -> None:
    """The vector of the DSSE protocol, and characters of several bytes (B024)."""
    assert pae(kind, payload) == expected
    assert TheirEnvelope(payload, kind, {}).pae() == expected


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_is_sealed_is_read_again(kind: type[Any]) -> None:
    """Payload, signatures and what else stood in the envelope come back."""
    payload = DSSE.parse(sealed(compact(document(kind))), kind).payload
    again = DSSE.parse(DSSE.seal(payload, [("k1", b"\x01"), ("", b"\xff")], Unknown(x=[1])), kind)
    assert (again.payload, again.signed, again.unknown) == (payload, DSSE.signed_bytes(payload), {"x": [1]})
    assert [(each.keyid, again.decode(each.sig)) for each in again.signatures] == [("k1", b"\x01"), ("", b"\xff")]


def test_the_reference_implementation_reads_ours() -> None:
    """python-tuf verifies an envelope of ours and reads the same root."""
    signer = MemorySigner.generate()
    keys = RoleKeys(keyids=(signer.keyid,), threshold=1)
    root = Root(
        expires="2030-01-01T00:00:00Z",
        spec_version="1.0.34",
        version=1,
        consistent_snapshot=True,
        keys={signer.keyid: signer.key},
        roles=dict.fromkeys(("root", "timestamp", "snapshot", "targets"), keys),
    )
    data = DSSE.seal(root, [(signer.keyid, signer.sign(DSSE.signed_bytes(root)))])
    theirs: SimpleEnvelope[TheirRoot] = SimpleEnvelope.from_bytes(data)
    payload = theirs.get_signed()
    payload.verify_delegate("root", theirs.pae(), theirs.signatures)
    assert payload.to_dict() == json.loads(DSSE.signed_bytes(root).partition(b"{")[2].join([b"{", b""]))


def test_we_read_the_reference_implementations() -> None:
    """And the other way round, with a signature that counts."""
    theirs = TheirSnapshot(version=3)
    envelope = SimpleEnvelope.from_signed(theirs)
    signer = CryptoSigner.generate_ed25519()
    envelope.sign(signer)
    public = signer.public_key
    key = make_key(public.keytype, public.scheme, public.keyval["public"])
    offered = DSSE.parse(envelope.to_bytes(), Snapshot)
    believed = verify(offered, Role("snapshot", (public.keyid,), 1, {public.keyid: key}))
    assert believed.payload.version == 3


@pytest.mark.parametrize("payload", [b"no JSON", b"{}", b'{"_type":"timestamp"}', b'{"a":1,"a":1}', b"\xff", compact(document(Root))])
def test_the_payload_is_not_read_before_somebody_vouches_for_it(payload: bytes) -> None:
    """A parser must not be shown what no key signed; once one did, a malformed payload is a FormatError."""
    signer = MemorySigner.generate()
    role = Role("timestamp", (signer.keyid,), 1, {signer.keyid: signer.key})
    forged = DSSE.parse(sealed(payload, {"keyid": signer.keyid, "sig": "AAAA"}), Timestamp)
    with pytest.raises(ThresholdError):
        verify(forged, role)

    signature = base64.b64encode(signer.sign(pae(PAYLOAD_TYPE, payload))).decode()
    with pytest.raises(FormatError, match=r"^timestamp is malformed at (payload|document)"):
        verify(DSSE.parse(sealed(payload, {"keyid": signer.keyid, "sig": signature}), Timestamp), role)


def test_a_keyid_is_a_hint() -> None:
    """It may be absent or empty, and then every key of the role is tried; one that names nobody helps nobody."""
    one, two = MemorySigner.generate(), MemorySigner.generate()
    role = Role("timestamp", ("one", "two"), 2, {"one": one.key, "two": two.key})
    payload = compact(document(Timestamp))
    first, second = (base64.b64encode(signer.sign(pae(PAYLOAD_TYPE, payload))).decode() for signer in (one, two))
    assert verify(DSSE.parse(sealed(payload, {"sig": second}, {"sig": first, "keyid": ""}), Timestamp), role).payload.version == 3
    assert verify(DSSE.parse(sealed(payload, {"sig": second}, {"sig": first, "keyid": "one"}), Timestamp), role).payload.version == 3
    for hints in ({"keyid": "stranger"}, {"keyid": "two"}):
        with pytest.raises(ThresholdError):
            verify(DSSE.parse(sealed(payload, {"sig": second}, {"sig": first, **hints}), Timestamp), role)


def test_one_signature_without_a_keyid_counts_once() -> None:
    """Repeating it gains nothing (B013)."""
    signer = MemorySigner.generate()
    role = Role("timestamp", ("one", "two"), 2, {"one": signer.key, "two": signer.key})
    payload = compact(document(Timestamp))
    signature = base64.b64encode(signer.sign(pae(PAYLOAD_TYPE, payload))).decode()
    with pytest.raises(ThresholdError) as refused:
        verify(DSSE.parse(sealed(payload, *[{"sig": signature}] * 5), Timestamp), role)
    assert refused.value.proved == ("one",)


@pytest.mark.parametrize("text", ["-_-_", "+/+/", "+/-_"])
def test_both_alphabets_of_base64_are_read(text: str) -> None:
    """DSSE allows standard and URL-safe encoding alike."""
    envelope = DSSE.parse(sealed(b"{}", {"sig": text}), Timestamp)
    assert envelope.decode(text) == b"\xfb\xff\xbf"


@pytest.mark.parametrize(
    ("sentence", "data", "where"),
    [
        ("no JSON", b"DSSE", "document"),
        ("an array", b"[]", "document: expected an object"),
        ("null (B088)", b"null", "document: expected an object"),
        ("no payload", b'{"payloadType":"application/vnd.tuf+json","signatures":[]}', "document: "),
        ("another payload type", sealed(b"{}", payloadType="application/vnd.in-toto+json"), r"document\.payloadType: expected"),
        ("a payload that is no base64", sealed(b"{}", payload="{}"), r"document\.payload: not base64"),
        ("a payload without its padding", sealed(b"{}", payload="e30"), r"document\.payload: not base64"),
        ("a payload with blanks in it", sealed(b"{}", payload="e3 0="), r"document\.payload: not base64"),
        ("a payload in other letters", sealed(b"{}", payload="é30="), r"document\.payload: not base64"),
        ("a signature that is null", sealed(b"{}", None), r"document\.signatures\[0\]: "),  # type: ignore[arg-type]
        (
            "a keyid that signs twice",
            sealed(b"{}", {"keyid": "a", "sig": ""}, {"keyid": "a", "sig": ""}),
            r"signatures\[1\]\.keyid: 'a' signs",
        ),
        ("too many signatures (B012)", sealed(b"{}", *[{"sig": ""}] * 4097), "signatures: more than 4096"),
        ("too many signatures for all keys to try (B012)", sealed(b"{}", *[{"sig": ""}] * 257), "signatures: more than 256 without"),
        ("a repeated name (B007)", b'{"payload":"","payload":"","payloadType":"","signatures":[]}', "document: the name 'payload'"),
        ("plain TUF JSON, for the dialect is never guessed (X5)", b'{"signatures":[],"signed":{}}', "document: "),
    ],
)
def test_envelopes_that_are_none(sentence: str, data: bytes, where: str) -> None:
    with pytest.raises(FormatError, match=f"^{where}"):
        DSSE.parse(data, Timestamp)


def test_a_signature_that_is_no_base64_is_no_signature() -> None:
    """It does not break the others."""
    signer = MemorySigner.generate()
    role = Role("timestamp", ("one", "two"), 1, {"one": signer.key, "two": signer.key})
    payload = compact(document(Timestamp))
    good = base64.b64encode(signer.sign(pae(PAYLOAD_TYPE, payload))).decode()
    assert (
        verify(DSSE.parse(sealed(payload, {"sig": "é", "keyid": "one"}, {"sig": good, "keyid": "two"}), Timestamp), role).payload.version
        == 3
    )
