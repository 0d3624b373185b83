"""What can sign: a public key, and bytes in, a signature out.

Where the private half is (in memory, in a token, at a cloud provider) is the signer's own business.
"""

from typing import Protocol

from tuffet.errors import SigningError
from tuffet.metadata.keys import Key

_PROBE = b"tuffet asks whether the two halves of this key belong together"


class Signer(Protocol):
    """One key that signs; raises SigningError where it cannot."""

    @property
    def key(self) -> Key:
        """The public half, as documents carry it."""
        ...

    @property
    def keyid(self) -> str:
        """The name of the key in signatures: the id that the specification computes (4.2.1)."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature over exactly these bytes."""
        ...


def require_pair(signer: Signer) -> None:
    """Raise SigningError unless the signer's public key verifies what it signs, or it would lock its roles (B025)."""
    verifier = signer.key.verifier()
    if verifier is None:
        raise SigningError(f"key {signer.keyid[:12]} of type {signer.key.keytype} cannot be used for the scheme {signer.key.scheme}")
    if not verifier.verify(signer.sign(_PROBE), _PROBE):
        raise SigningError(f"the halves of key {signer.keyid[:12]} do not belong together: use the public key that was made with it")
