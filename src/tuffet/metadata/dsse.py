"""DSSE envelopes around TUF documents (TAP 17): what is signed is the payload as it came, so it needs no canonical form.

Signatures are checked before the payload is parsed. A keyid in DSSE is only a hint; it may be absent, and then every
key of the role is tried.
"""

import binascii
from typing import Any, Final

from tuffet.errors import FormatError
from tuffet.metadata.canonical import encode_json, parse_json
from tuffet.metadata.envelope import Envelope, Sign, Signature, Signatures, T, require_signatures
from tuffet.metadata.keys import MAX_KEYS_OF_ROLE
from tuffet.metadata.schema import Document, Unknown, build, write

PAYLOAD_TYPE: Final = "application/vnd.tuf+json"


class _DsseSignature(Document, frozen=True):
    sig: str
    keyid: str = ""


class _DsseEnvelope(Document, frozen=True):
    payload: str
    payloadType: str  # noqa: N815  the wire's own name
    signatures: tuple[_DsseSignature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding; lengths count bytes, not characters (B024)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


class Dsse:
    """The DSSE dialect. A repository speaks either this or TUF JSON, never both."""

    def parse(self, data: bytes, kind: type[T]) -> Envelope[T]:
        """Return the envelope, its payload unread until somebody asks for it; FormatError says what is malformed."""
        outside = build(parse_json(data)[0], _DsseEnvelope, "document")
        if outside.payloadType != PAYLOAD_TYPE:
            raise FormatError("document.payloadType", f"expected {PAYLOAD_TYPE!r}")
        try:
            payload = decode_base64(outside.payload)
        except ValueError as error:
            raise FormatError("document.payload", "not base64") from error
        signatures = tuple(Signature(keyid=signature.keyid, sig=signature.sig) for signature in outside.signatures)
        named = [signature for signature in signatures if signature.keyid]
        require_signatures(named, repeats=False)
        require_signatures(signatures, repeats=True)
        # Each of these is tried with every key of the role (B012).
        if len(signatures) - len(named) > MAX_KEYS_OF_ROLE:
            raise FormatError("signatures", f"more than {MAX_KEYS_OF_ROLE} without a keyid")
        signed = pae(PAYLOAD_TYPE, payload)
        return Envelope(signed, signatures, lambda: build(parse_json(payload)[0], kind, "payload"), decode_base64, outside.unknown or None)

    def signed_bytes(self, payload: T) -> bytes:
        """Return the pre-authentication encoding of a document's compact JSON."""
        return pae(PAYLOAD_TYPE, write(payload))

    def sign(self, payload: T, sign: Sign, unknown: Unknown | None = None) -> bytes:
        """Return the file with its payload and signatures in base64."""
        wire = write(payload)
        listed: list[dict[str, Any]] = [{"keyid": keyid, "sig": encode_base64(raw)} for keyid, raw in sign(pae(PAYLOAD_TYPE, wire))]
        members = {"payload": encode_base64(wire), "payloadType": PAYLOAD_TYPE, "signatures": listed}
        return encode_json({**members, **(unknown or {})})

    def seal(self, payload: T, signatures: Signatures, unknown: Unknown | None = None) -> bytes:
        """Return the file with signatures made before."""
        return self.sign(payload, lambda _: signatures, unknown)


def encode_base64(data: bytes) -> str:
    """Return the bytes in standard base64."""
    return binascii.b2a_base64(data, newline=False).decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes of standard or URL-safe base64, which DSSE allows alike; ValueError where it is neither."""
    try:
        return binascii.a2b_base64(text.replace("-", "+").replace("_", "/"), strict_mode=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


DSSE: Final = Dsse()
"""The DSSE dialect."""
