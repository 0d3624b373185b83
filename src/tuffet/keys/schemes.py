"""How each signature scheme makes its keys and its signatures.

Exactly what securesystemslib writes, so that every client of TUF verifies it: RSA-PSS salts with as many bytes as the
digest has, ECDSA fixes the hash by the curve, and ML-DSA signs a prefixed digest (TAP 21).
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tuffet.errors import UsageError
from tuffet.metadata.keys import Key, make_key
from tuffet.metadata.verifier import MIN_RSA_BITS, ml_dsa_message

RSA_BITS: Final = 3072

_MlDsa = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey


class Scheme(NamedTuple):
    """One way to sign. Private keys are those of `cryptography`; which class they have, only `fits` knows."""

    keytype: str
    name: str
    fits: Callable[[object], bool]
    generate: Callable[[], PrivateKeyTypes]
    sign: Callable[[Any, bytes], bytes]

    def public(self, private: PrivateKeyTypes) -> Key:
        """Return the public half as documents carry it: hex for ed25519, PEM SubjectPublicKeyInfo for all others."""
        public = private.public_key()
        if self.keytype == "ed25519":
            return make_key(self.keytype, self.name, public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex())
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return make_key(self.keytype, self.name, pem.decode())


def scheme_named(name: str) -> Scheme:
    """Return the scheme; UsageError names those there are."""
    if (scheme := SCHEMES.get(name)) is None:
        raise UsageError(f"there is no signature scheme {name!a}: choose one of {', '.join(SCHEMES)}")
    return scheme


def scheme_for(private: PrivateKeyTypes) -> Scheme:
    """Return the scheme that a private key signs by unless told otherwise."""
    for scheme in SCHEMES.values():
        if scheme.fits(private):
            return scheme
    raise UsageError(f"no signature scheme fits a private key of the kind {type(private).__name__}, or it is too short")


def _ed25519() -> Scheme:
    def sign(key: ed25519.Ed25519PrivateKey, data: bytes) -> bytes:
        return key.sign(data)

    kind = ed25519.Ed25519PrivateKey
    return Scheme("ed25519", "ed25519", lambda key: isinstance(key, kind), kind.generate, sign)


def _ecdsa(curve: ec.EllipticCurve, algorithm: hashes.HashAlgorithm) -> Scheme:
    def fits(key: object) -> bool:
        return isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == curve.name

    def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
        return key.sign(data, ec.ECDSA(algorithm))

    return Scheme("ecdsa", f"ecdsa-sha2-nistp{curve.key_size}", fits, lambda: ec.generate_private_key(curve), sign)


def _rsa(family: str, algorithm: hashes.HashAlgorithm) -> Scheme:
    def fits(key: object) -> bool:
        return isinstance(key, rsa.RSAPrivateKey) and key.key_size >= MIN_RSA_BITS

    def sign(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
        if family == "rsassa-pss":
            return key.sign(data, padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH), algorithm)
        return key.sign(data, padding.PKCS1v15(), algorithm)

    return Scheme("rsa", f"{family}-{algorithm.name}", fits, lambda: rsa.generate_private_key(65537, RSA_BITS), sign)


def _ml_dsa(size: int, kind: type[_MlDsa]) -> Scheme:
    def sign(key: _MlDsa, data: bytes) -> bytes:
        return key.sign(ml_dsa_message(data))

    return Scheme("ml-dsa", f"ml-dsa-{size}/1", lambda key: isinstance(key, kind), kind.generate, sign)


_RSA_HASHES: Final = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())

SCHEMES: Final = {
    scheme.name: scheme
    for scheme in (
        _ed25519(),
        _ecdsa(ec.SECP256R1(), hashes.SHA256()),
        _ecdsa(ec.SECP384R1(), hashes.SHA384()),
        _ecdsa(ec.SECP521R1(), hashes.SHA512()),
        *(_rsa(family, algorithm) for family in ("rsassa-pss", "rsa-pkcs1v15") for algorithm in _RSA_HASHES),
        _ml_dsa(44, mldsa.MLDSA44PrivateKey),
        _ml_dsa(65, mldsa.MLDSA65PrivateKey),
        _ml_dsa(87, mldsa.MLDSA87PrivateKey),
    )
}
"""Every scheme by its name; of those that fit one private key, the first is the default."""
