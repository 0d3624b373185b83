"""Checking one signature by one public key, for every scheme that tuffet knows.

The scheme comes from the key, which a trusted document vouches for, never from the signature (B041). A signature that
is wrong in any way, in form or in value, is simply not good; nothing here raises for what an attacker sent.
"""

import binascii
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

MAX_PUBLIC: Final = 16_384
"""How many characters a public value may have; the longest known one has 3,600."""
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192

_CURVES: Final = {
    # scheme: (curve, hash, DER header of an uncompressed SubjectPublicKeyInfo of that curve, bytes of a coordinate)
    "ecdsa-sha2-nistp256": ("SECP256R1", "SHA256", "3059301306072a8648ce3d020106082a8648ce3d030107034200", 32),
    "ecdsa-sha2-nistp384": ("SECP384R1", "SHA384", "3076301006072a8648ce3d020106052b81040022036200", 48),
    "ecdsa-sha2-nistp521": ("SECP521R1", "SHA512", "30819b301006072a8648ce3d020106052b81040023038186 00".replace(" ", ""), 66),
}
_RSA: Final = {
    f"{family}-{name}": (family, name.upper())
    for family in ("rsassa-pss", "rsa-pkcs1v15")
    for name in ("sha224", "sha256", "sha384", "sha512")
}
_ML_DSA: Final = {f"ml-dsa-{size}/1": size for size in ("44", "65", "87")}

SCHEMES: Final = ("ed25519", *_CURVES, *_RSA, *_ML_DSA)
"""Every scheme that can count towards a threshold."""


class Verifier(NamedTuple):
    """A readable public key: what it is made of, and the check of one signature."""

    material: bytes
    """What the key is, whatever it is called and however it was written; equal material is one key (VARIANTS X3)."""
    check: Callable[[bytes, bytes | memoryview], object]
    """Raises InvalidSignature (or ValueError) unless (signature, data) is good."""

    def verify(self, signature: bytes, data: bytes | memoryview) -> bool:
        """Return whether the signature over the data is good."""
        try:
            self.check(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def make_verifier(keytype: str, scheme: str, public: str) -> Verifier | None:
    """Return the verifier of a key, or None where type and scheme do not go together or the value cannot be read."""
    if len(public) > MAX_PUBLIC:
        return None
    try:
        if keytype == scheme == "ed25519":
            return _ed25519(public)
        if scheme in _CURVES and keytype in {"ecdsa", scheme}:
            return _ecdsa(scheme, public)
        if scheme in _RSA and keytype == "rsa":
            return _rsa(scheme, public)
        if scheme in _ML_DSA and keytype == "ml-dsa":
            return _ml_dsa(scheme, public)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return None


def _ed25519(public: str) -> Verifier | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    raw = _unhex(public)
    if len(raw) != 32:
        return None
    return Verifier(b"ed25519:" + raw, Ed25519PublicKey.from_public_bytes(raw).verify)


def _ecdsa(scheme: str, public: str) -> Verifier | None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    curve, hash_name, header, size = _CURVES[scheme]
    # A PEM key is nearly always this curve's fixed header and an uncompressed point. Reading just that saves the
    # import of every key format there is; whatever else cryptography can read of this curve is read as well.
    der = _pem(public) if public.startswith("-----") else bytes.fromhex(header) + _unhex(public)
    point = der.removeprefix(bytes.fromhex(header))
    if len(point) == 2 * size + 1 and len(der) != len(point):
        key = ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, curve)(), point)
    else:
        loaded = _load_der(der)
        if not isinstance(loaded, ec.EllipticCurvePublicKey) or loaded.curve.name != curve.lower():
            return None
        key = loaded
    numbers = key.public_numbers()
    algorithm = ec.ECDSA(getattr(hashes, hash_name)())
    return Verifier(f"ec:{curve}:{numbers.x}:{numbers.y}".encode(), lambda signature, data: key.verify(signature, data, algorithm))


def _rsa(scheme: str, public: str) -> Verifier | None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = _load_der(_pem(public))
    if not isinstance(key, rsa.RSAPublicKey) or not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        return None
    family, hash_name = _RSA[scheme]
    algorithm = getattr(hashes, hash_name)()
    # Old signers salted with as many bytes as fit, new ones with as many as the digest has; both are safe (B093).
    pad = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO) if family == "rsassa-pss" else padding.PKCS1v15()
    numbers = key.public_numbers()
    return Verifier(f"rsa:{numbers.n}:{numbers.e}".encode(), lambda signature, data: key.verify(signature, bytes(data), pad, algorithm))


def _ml_dsa(scheme: str, public: str) -> Verifier | None:
    from cryptography.hazmat.primitives.asymmetric import mldsa

    key = _load_der(_pem(public))
    kind: type[Any] = getattr(mldsa, f"MLDSA{_ML_DSA[scheme]}PublicKey")
    if not isinstance(key, kind):
        return None
    raw = key.public_bytes_raw()
    return Verifier(f"{scheme}:".encode() + raw, lambda signature, data: key.verify(signature, ml_dsa_message(data)))


def ml_dsa_message(data: bytes | memoryview) -> bytes:
    """Return what an ML-DSA key signs for the data: a prefix, the scheme's version and a SHA-512 digest (TAP 21)."""
    import hashlib

    return b"tuf\x01" + hashlib.sha512(data).digest()


def _load_der(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return load_der_public_key(der)


def _pem(text: str) -> bytes:
    lines = text.split()
    body = "".join(lines)
    head, tail = "-----BEGINPUBLICKEY-----", "-----ENDPUBLICKEY-----"
    if not body.startswith(head) or not body.endswith(tail):
        raise ValueError("not a PEM public key")
    return binascii.a2b_base64(body[len(head) : -len(tail)], strict_mode=True)


def _unhex(text: str) -> bytes:
    if not text.isascii() or not text.isalnum():
        raise ValueError("not hexadecimal")
    return binascii.unhexlify(text)
