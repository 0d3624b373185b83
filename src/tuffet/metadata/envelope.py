"""The envelope around a signed document: parsed, and not believed yet (specification 4.2, TAP 17).

A `Dialect` says how an envelope is written on the wire. It is configured, or pinned together with a root; it is never
guessed from bytes that an attacker can choose (VARIANTS X5).
"""

from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from tuffet.errors import FormatError
from tuffet.metadata.roles import Dated
from tuffet.metadata.schema import Document, Unknown

MAX_SIGNATURES: Final = 4096
"""How many signatures an envelope may carry; far fewer are ever checked."""

T = TypeVar("T", bound=Dated)


class Signature(Document, frozen=True, gc=False):
    """One signature: whose it claims to be, and its bytes as the dialect writes them; an empty one is no signature."""

    keyid: str
    sig: str


class Envelope(Generic[T]):
    """A document and the signatures it came with. Nothing in it may be believed before `trust.verify`.

    `signed` is what the signatures are over, `parse` gives the document: at once where the dialect can only read it
    whole, later where the dialect lets signatures be checked first.
    """

    __slots__ = ("_parse", "_payload", "decode", "signatures", "signed", "unknown")

    def __init__(
        self,
        signed: bytes | memoryview,
        signatures: tuple[Signature, ...],
        payload: T | Callable[[], T],
        decode: Callable[[str], bytes],
        unknown: Unknown | None = None,
    ) -> None:
        self.signed, self.signatures, self.unknown, self.decode = signed, signatures, unknown, decode
        self._parse: Callable[[], T] | None = None
        self._payload: T | None = None
        if isinstance(payload, Dated):
            self._payload = payload
        else:
            self._parse = payload

    @property
    def payload(self) -> T:
        """The document inside; FormatError if it turns out malformed."""
        if self._payload is None:
            assert self._parse is not None  # noqa: S101  one of the two is always set
            self._payload = self._parse()
        return self._payload


Signatures: TypeAlias = Sequence[tuple[str, bytes]]
"""Pairs of a keyid and a signature's bytes."""
Sign: TypeAlias = Callable[[bytes], Signatures]
"""What makes signatures of the bytes that are signed."""


def require_signatures(signatures: Sequence[Signature], *, repeats: bool) -> None:
    """Refuse too many signatures, and a keyid that signs twice unless `repeats` says that it may (VARIANTS X4)."""
    if len(signatures) > MAX_SIGNATURES:
        raise FormatError("signatures", f"more than {MAX_SIGNATURES}")
    if not repeats and len({signature.keyid for signature in signatures}) != len(signatures):
        keyids = [signature.keyid for signature in signatures]
        twice = next(index for index, keyid in enumerate(keyids) if keyid in keyids[:index])
        raise FormatError(f"signatures[{twice}].keyid", f"{keyids[twice][:80]!r} signs twice")


class Dialect(Protocol):
    """How documents are written on the wire, and what exactly is signed."""

    def parse(self, data: bytes, kind: type[T]) -> Envelope[T]:
        """Return the envelope of a document of the expected kind; FormatError says where it breaks the rules."""
        ...

    def signed_bytes(self, payload: T) -> bytes:
        """Return the bytes that signatures of a new document are made over."""
        ...

    def sign(self, payload: T, sign: Sign, unknown: Unknown | None = None) -> bytes:
        """Return the file of a new document with the signatures that `sign` makes of its bytes; it is encoded once."""
        ...

    def seal(self, payload: T, signatures: Signatures, unknown: Unknown | None = None) -> bytes:
        """Return the file of a new document with signatures made before."""
        ...
