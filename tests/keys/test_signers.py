"""Signers of every scheme, judged by tuffet and by the reference implementation."""

import pickle

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey
from securesystemslib.signer._signature import Signature

from tuffet.errors import SigningError, UsageError
from tuffet.keys.memory import MemorySigner
from tuffet.keys.schemes import SCHEMES
from tuffet.keys.signer import Signer, require_pair
from tuffet.metadata.keys import Key, make_key
from tuffet.testing.contracts import SignerContract

# Making an RSA key takes a good part of a second, and one serves all of its schemes.
RSA_KEY = rsa.generate_private_key(65537, 2048)


def new_signer(scheme: str) -> MemorySigner:
    return MemorySigner(RSA_KEY, scheme) if scheme.startswith("rsa") else MemorySigner.generate(scheme)


def reference_key(signer: Signer) -> SSlibKey:
    """Return the same key as the reference implementation reads it."""
    key = signer.key
    return SSlibKey.from_dict(signer.keyid, {"keytype": key.keytype, "scheme": key.scheme, "keyval": dict(key.keyval)})


@pytest.mark.parametrize("scheme", SCHEMES)
class TestMemorySigner(SignerContract):
    @pytest.fixture
    def signer(self, scheme: str) -> Signer:
        return new_signer(scheme)

    def test_the_reference_implementation_verifies_it(self, signer: Signer) -> None:
        """What we sign, securesystemslib verifies, and it refuses what we did not sign."""
        theirs, signature = reference_key(signer), Signature(signer.keyid, signer.sign(b"data").hex())
        theirs.verify_signature(signature, b"data")
        with pytest.raises(UnverifiedSignatureError):
            theirs.verify_signature(signature, b"date")

    def test_we_verify_what_the_reference_implementation_signs(self, signer: Signer, scheme: str) -> None:
        """The same private key in its hands: the same public key and id, and signatures that we verify."""
        assert isinstance(signer, MemorySigner)
        theirs = CryptoSigner(signer._private, reference_key(signer))
        written = SSlibKey.from_crypto(signer._private.public_key(), scheme=scheme)
        verifier = signer.key.verifier()
        assert (written.keyid, written.keytype, written.keyval) == (signer.keyid, signer.key.keytype, dict(signer.key.keyval))
        assert verifier is not None
        assert verifier.verify(bytes.fromhex(theirs.sign(b"data").signature), b"data")

    def test_the_halves_of_two_keys_are_refused(self, scheme: str) -> None:
        """A private key with another's public half would lock its role (B025)."""
        other = MemorySigner(rsa.generate_private_key(65537, 2048), scheme) if scheme.startswith("rsa") else new_signer(scheme)
        with pytest.raises(SigningError, match="do not belong together: use the public key"):
            MemorySigner(new_signer(scheme)._private, key=other.key)

    def test_secrets_are_not_shown(self, signer: Signer) -> None:
        """Neither repr nor pickle gives the private key away."""
        assert isinstance(signer, MemorySigner)
        assert signer.private_bytes().hex()[-32:] not in repr(signer)
        assert repr(signer).startswith(f"MemorySigner({signer.key.scheme}, keyid={signer.keyid[:12]}")
        with pytest.raises(UsageError, match="neither pickled nor copied"):
            pickle.dumps(signer)


def test_new_rsa_keys_have_3072_bits() -> None:
    """As the reference implementation makes them."""
    key = MemorySigner.generate("rsassa-pss-sha256")._private
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 3072


def test_pss_salts_with_as_many_bytes_as_the_digest_has() -> None:
    """Some verifiers insist on it (B093)."""
    for scheme, algorithm in (("rsassa-pss-sha256", hashes.SHA256()), ("rsassa-pss-sha512", hashes.SHA512())):
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        RSA_KEY.public_key().verify(MemorySigner(RSA_KEY, scheme).sign(b"data"), b"data", pss, algorithm)


def test_a_private_key_brings_its_scheme() -> None:
    """Unless one is named, the first scheme that fits is taken; the old spelling of ECDSA's type still works."""
    assert MemorySigner(ed25519.Ed25519PrivateKey.generate()).key.scheme == "ed25519"
    assert MemorySigner(RSA_KEY).key.scheme == "rsassa-pss-sha256"
    private = ec.generate_private_key(ec.SECP384R1())
    signer = MemorySigner(private)
    assert (signer.key.keytype, signer.key.scheme) == ("ecdsa", "ecdsa-sha2-nistp384")
    old = make_key("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", signer.key.keyval["public"])
    assert MemorySigner(private, key=old).key == old


def test_keys_that_cannot_sign_are_refused() -> None:
    """An unknown scheme, a kind that does not fit, a curve that does not fit, and RSA that is too short."""
    with pytest.raises(UsageError, match=r"no signature scheme 'ed448': choose one of ed25519, "):
        MemorySigner.generate("ed448")
    with pytest.raises(UsageError, match="no signature scheme fits"):
        MemorySigner(x25519.X25519PrivateKey.generate())
    with pytest.raises(UsageError, match="too short"):
        MemorySigner(rsa.generate_private_key(65537, 1024))  # noqa: S505  just such a one is refused
    for private, scheme in ((RSA_KEY, "ed25519"), (ec.generate_private_key(ec.SECP256R1()), "ecdsa-sha2-nistp384")):
        with pytest.raises(SigningError, match=f"cannot sign by {scheme}"):
            MemorySigner(private, scheme)


def test_a_signer_from_elsewhere_is_tried_before_it_is_used() -> None:
    """Any signer, a key service's too, can be asked whether its halves belong together (B025)."""

    class Service:
        """A signer whose service quietly changed its key, or names one that nobody knows."""

        def __init__(self, key: Key) -> None:
            self.key, self.keyid = key, "0" * 64
            self._signer = MemorySigner.generate()

        def sign(self, data: bytes) -> bytes:
            return self._signer.sign(data)

    require_pair(MemorySigner.generate())
    with pytest.raises(SigningError, match="halves of key 000000000000 do not belong together"):
        require_pair(Service(MemorySigner.generate().key))
    with pytest.raises(SigningError, match="cannot be used for the scheme sphincs"):
        require_pair(Service(make_key("sphincs", "sphincs", "00")))
