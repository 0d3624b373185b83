"""TUF's own envelope: `{"signatures": [...], "signed": {...}}`, signed in canonical form (specification 4.2.1).

Accepted is exactly what "parse, canonicalise, then verify" accepts, less repeated names. Text whose `signed` part is
sorted and holds nothing unknown is read at the speed of one decoding and one encoding; all other text is read by
the strict parser, and both give the same values and the same canonical bytes.
"""

import binascii
import functools
from collections.abc import Sequence
from typing import Final, Generic

import msgspec

from tuffet.errors import FormatError
from tuffet.metadata.canonical import canonical, encode_json, parse_json
from tuffet.metadata.envelope import Envelope, Sign, Signature, Signatures, T, require_signatures
from tuffet.metadata.piecewise import PIECE, signed_part
from tuffet.metadata.schema import Document, Unknown, build, write
from tuffet.metadata.targets import Targets


class _Sealed(Document, Generic[T], frozen=True):
    """An envelope that holds known fields only."""

    signatures: tuple[Signature, ...]
    signed: T


class _Signatures(Document, frozen=True):
    signatures: tuple[Signature, ...]


_BLANKS: Final = b" \t\n\r"


@functools.cache
def _decoder(kind: type[T]) -> "msgspec.json.Decoder[_Sealed[T]]":
    return msgspec.json.Decoder(_Sealed[kind])  # type: ignore[valid-type]


class TufJson:
    """The default dialect. `tap12_duplicates` lets a keyid sign twice and tries all its signatures (TAP 12)."""

    def __init__(self, *, tap12_duplicates: bool = False) -> None:
        self.tap12_duplicates = tap12_duplicates

    def parse(self, data: bytes, kind: type[T]) -> Envelope[T]:
        """Return the envelope; FormatError names the path inside the document."""
        envelope = _parse_known(data, kind) or _parse_any(data, kind)
        require_signatures(envelope.signatures, repeats=self.tap12_duplicates)
        return envelope

    def signed_bytes(self, payload: T) -> bytes:
        """Return the canonical form of a document, which is what its keys sign."""
        return canonical(write(payload))

    def sign(self, payload: T, sign: Sign, unknown: Unknown | None = None) -> bytes:
        """Return the file: compact and sorted, so that reading it takes the quick way."""
        wire = write(payload)
        listed = [{"keyid": keyid, "sig": signature.hex()} for keyid, signature in sign(canonical(wire))]
        return join(encode_json(listed), wire, unknown)

    def seal(self, payload: T, signatures: Signatures, unknown: Unknown | None = None) -> bytes:
        """Return the file with signatures made before."""
        return self.sign(payload, lambda _: signatures, unknown)


def join(signatures: bytes, signed: bytes, unknown: Unknown | None = None) -> bytes:
    """Return the file of encoded signatures and an encoded document."""
    rest = encode_json(unknown)[1:-1] + b"," if unknown else b""
    return b"{" + rest + b'"signatures":' + signatures + b',"signed":' + signed + b"}"


def decode_hex(text: str) -> bytes:
    """Return the bytes of a signature in hex; ValueError where it is none."""
    return binascii.unhexlify(text)


def _parse_known(data: bytes, kind: type[T]) -> Envelope[T] | None:
    """Return the envelope of a sorted text without unknown fields, or None to have it read the long way."""
    try:
        sealed = _decoder(kind).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, FormatError):
        return None
    payload = sealed.signed
    if isinstance(payload, Targets) and len(payload.targets) > PIECE and (found := signed_part(data, payload)):
        part, around = found
        return Envelope(part, sealed.signatures, sealed.signed, decode_hex) if _accounts_for(around, sealed.signatures) else None
    wire = encode_json(payload)
    shell = _shell(data, wire)
    if shell is None and wire.translate(None, _BLANKS) == wire:
        # Laid-out text is as good if white space is all that sets it apart, and no string holds any.
        shell = _shell(data.translate(None, _BLANKS), wire)
    if shell is None or not _accounts_for(shell, sealed.signatures):
        return None
    return Envelope(canonical(wire), sealed.signatures, payload, decode_hex)


def _accounts_for(shell: bytes, signatures: Sequence[Signature]) -> bool:
    """Return whether what stands around the signed part holds every name once, and nothing of the signed part.

    Every string stands between two quotes. The names `signatures`, `signed`, `keyid` and `sig` and two values each account
    for all of them, so one quote more would be a repeated name. With as many quotes as it should have, what precedes the
    signed part holds none of its strings: nothing was dropped from it.
    """
    return b"\\" not in shell and shell.count(b'"') == 4 + 8 * len(signatures)


def _shell(text: bytes, wire: bytes) -> bytes | None:
    """Return the text without its signed part if that part comes last and reads exactly like `wire`."""
    end = len(text) - 1
    return text[: end - len(wire)] + text[end:] if text.endswith(wire, 0, end) and text.endswith(b"}") else None


def _parse_any(data: bytes, kind: type[T]) -> Envelope[T]:
    value, _ = parse_json(data)
    if not isinstance(value, dict):
        raise FormatError("document", "expected an object with `signatures` and `signed`")
    for name in ("signatures", "signed"):
        if name not in value:
            raise FormatError("document", f"{name} is missing")
    signed = value.pop("signed")
    payload = build(signed, kind, "signed")
    outside = build(value, _Signatures, "document")
    return Envelope(canonical(encode_json(signed)), outside.signatures, payload, decode_hex, outside.unknown or None)


TUF_JSON: Final = TufJson()
"""The default dialect with the default strictness."""
