"""Public keys as documents carry them (specification 4.2.1), and what makes two of them the same.

A key's id is a name that its delegator chose (TAP 12); what counts towards a threshold is the key's *material*, so one
key under two names or in two encodings is one key. A key of an unknown type or scheme, or one that cannot be read, is
carried along and never counts.
"""

import functools
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta

from tuffet.errors import FormatError
from tuffet.metadata.canonical import check_free, encode_canonical
from tuffet.metadata.schema import Document, Unknown, write
from tuffet.metadata.verifier import Verifier, make_verifier

MAX_KEYS_OF_ROLE: Final = 256
"""How many keys one role may have; no more signatures than that are ever checked for a role."""

KeyIds = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=1024)], ...], Meta(max_length=MAX_KEYS_OF_ROLE)]


class Key(Document, frozen=True):
    """A public key: its type, the scheme of its signatures and its value."""

    keytype: str
    keyval: dict[str, Any]
    scheme: str

    def __post_init__(self) -> None:
        try:
            check_free(self.keyval, "keyval", 4)
        except FormatError as error:
            raise ValueError(str(error)) from error

    def verifier(self) -> Verifier | None:
        """Return what checks signatures by this key, or None where the key is unknown or cannot be read."""
        public = self.keyval.get("public")
        return _verifier(self.keytype, self.scheme, public) if isinstance(public, str) else None


class RoleKeys(Document, frozen=True):
    """Who may sign for a role: the ids of its keys and how many of them must."""

    keyids: KeyIds
    threshold: Annotated[int, Meta(ge=1, le=2**31)]

    def __post_init__(self) -> None:
        if len(set(self.keyids)) != len(self.keyids):
            raise ValueError("a keyid is listed twice")


_verifier = functools.lru_cache(maxsize=4096)(make_verifier)


def make_key(keytype: str, scheme: str, public: str, unknown: dict[str, Any] | None = None) -> Key:
    """Return a key of one public value, as all known key types have."""
    return Key(keytype=keytype, scheme=scheme, keyval={"public": public}, unknown=Unknown(unknown) if unknown else UNSET)


def key_id(key: Key) -> str:
    """Return the id that the specification computes for a key: SHA-256 of its canonical form (4.2.1), as hex.

    Only type, scheme and value count, as in the reference implementation; nothing in tuffet relies on ids being so.
    """
    import hashlib

    plain = {"keytype": key.keytype, "keyval": key.keyval, "scheme": key.scheme}
    return hashlib.sha256(encode_canonical(plain)).hexdigest()


def same_key(one: Key, other: Key) -> bool:
    """Return whether two keys are one by material; keys that cannot be read are the same only if written alike."""
    first, second = one.verifier(), other.verifier()
    if first is None or second is None:
        return write(one) == write(other)
    return first.material == second.material
