"""A signer whose private key is in this process's memory.

Python cannot wipe that memory (B045): where it matters, let a token or a key service sign.
"""

from typing import NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tuffet.errors import SigningError, UsageError
from tuffet.keys.schemes import scheme_for, scheme_named
from tuffet.keys.signer import require_pair
from tuffet.metadata.keys import Key, key_id


class MemorySigner:
    """Signs with a private key of `cryptography`; `key` is the public half if that is already written somewhere."""

    def __init__(self, private: PrivateKeyTypes, scheme: str | None = None, *, key: Key | None = None) -> None:
        wanted = scheme or (key.scheme if key else None)
        self._scheme = scheme_named(wanted) if wanted else scheme_for(private)
        if not self._scheme.fits(private):
            raise SigningError(f"a private key of the kind {type(private).__name__} (or of that size) cannot sign by {self._scheme.name}")
        self._private = private
        self._key = key or self._scheme.public(private)
        self._keyid = key_id(self._key)
        require_pair(self)

    @classmethod
    def generate(cls, scheme: str = "ed25519") -> "MemorySigner":
        """Return a signer with a new key."""
        wanted = scheme_named(scheme)
        try:
            return cls(wanted.generate(), scheme)
        except UnsupportedAlgorithm as error:
            raise SigningError(f"the cryptography package here was built without {scheme}: choose another scheme") from error

    @property
    def key(self) -> Key:
        """The public half, as documents carry it."""
        return self._key

    @property
    def keyid(self) -> str:
        """The id that the specification computes for the key (4.2.1)."""
        return self._keyid

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature."""
        return self._scheme.sign(self._private, data)

    def private_bytes(self) -> bytes:
        """Return the private key, unprotected, as PKCS#8 DER; for those who store it encrypted."""
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def __reduce__(self) -> NoReturn:
        raise UsageError("a private key is neither pickled nor copied: write a key file")

    def __repr__(self) -> str:
        return f"MemorySigner({self._key.scheme}, keyid={self._keyid[:12]}…)"
