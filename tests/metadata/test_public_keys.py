"""Public keys of every kind in every encoding: what counts, what never does, and what is one key."""

import base64
import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey
from securesystemslib.signer._signature import Signature as TheirSignature

from tuffet.metadata import Key, make_key
from tuffet.metadata.keys import key_id, same_key
from tuffet.metadata.verifier import MAX_PUBLIC, SCHEMES, Verifier

DATA = b"what was signed"

RSA = rsa.generate_private_key(65537, 2048)
SMALL_RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505  it is to be refused
PRIVATE: dict[str, PrivateKeyTypes] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-sha2-nistp256": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-sha2-nistp384": ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-sha2-nistp521": ec.generate_private_key(ec.SECP521R1()),
    **{scheme: RSA for scheme in SCHEMES if scheme.startswith("rsa")},
    "ml-dsa-44/1": mldsa.MLDSA44PrivateKey.generate(),
    "ml-dsa-65/1": mldsa.MLDSA65PrivateKey.generate(),
    "ml-dsa-87/1": mldsa.MLDSA87PrivateKey.generate(),
}
P256, P384 = PRIVATE["ecdsa-sha2-nistp256"], PRIVATE["ecdsa-sha2-nistp384"]


def pem(private: PrivateKeyTypes | PublicKeyTypes) -> str:
    public = private.public_key() if hasattr(private, "public_key") else private
    assert not isinstance(public, x25519.X25519PublicKey)
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def point(private: Any, form: PublicFormat = PublicFormat.UncompressedPoint) -> str:
    written: bytes = private.public_key().public_bytes(Encoding.X962, form)
    return written.hex()


def short_lines(text: str) -> str:
    first, body, *rest = text.split("\n")
    return "\n".join([first, *body, *rest])


def compressed(private: Any) -> str:
    der = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200" + point(private, PublicFormat.CompressedPoint))
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"


def ours(theirs: SSlibKey) -> Key:
    return make_key(theirs.keytype, theirs.scheme, theirs.keyval["public"])


def verifier(keytype: str, scheme: str, public: str) -> Verifier | None:
    return make_key(keytype, scheme, public).verifier()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_agrees_with_the_reference_implementation(scheme: str) -> None:
    """What securesystemslib signs is good here under the same id, and no bit of it or of the data may change (B093, B094)."""
    theirs = SSlibKey.from_crypto(PRIVATE[scheme].public_key(), scheme=scheme)
    key = ours(theirs)
    signature = bytes.fromhex(CryptoSigner(PRIVATE[scheme], theirs).sign(DATA).signature)
    check = key.verifier()
    assert check is not None
    assert key_id(key) == theirs.keyid
    assert check.verify(signature, DATA)

    chance = random.Random(1)
    for index in {0, 1, len(signature) // 2, len(signature) - 1, chance.randrange(len(signature))}:
        broken = bytearray(signature)
        broken[index] ^= 1 << chance.randrange(8)
        assert not check.verify(bytes(broken), DATA)
    assert not check.verify(signature, DATA + b" ")
    for wrong in (b"", b"\0", signature[:-1], signature + b"\0", b"\0" * len(signature), b"\x30\x06\x02\x01\x00\x02\x01\x00"):
        assert not check.verify(wrong, DATA)


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme.startswith("rsassa-pss")])
@pytest.mark.parametrize("salt", [padding.PSS.DIGEST_LENGTH, padding.PSS.MAX_LENGTH])
def test_both_salts_of_pss_are_good(scheme: str, salt: Any) -> None:
    """Old signers salted with as many bytes as fit, new ones with a digest's length; both exist in the wild (B093)."""
    algorithm = {"224": hashes.SHA224(), "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[scheme[-3:]]
    signature = RSA.sign(DATA, padding.PSS(padding.MGF1(algorithm), salt), algorithm)
    key = make_key("rsa", scheme, pem(RSA))
    check = key.verifier()
    assert check is not None
    assert check.verify(signature, DATA)
    theirs = SSlibKey("id", "rsa", scheme, {"public": pem(RSA)})
    theirs.verify_signature(TheirSignature("id", signature.hex()), DATA)


def test_the_signature_never_chooses_how_it_is_checked() -> None:
    """A good signature by the same RSA key is worth nothing under a key of another scheme (B041)."""
    signatures = {
        scheme: bytes.fromhex(CryptoSigner(RSA, SSlibKey.from_crypto(RSA.public_key(), scheme=scheme)).sign(DATA).signature)
        for scheme in SCHEMES
        if scheme.startswith("rsa")
    }
    for mine in signatures:
        check = verifier("rsa", mine, pem(RSA))
        assert check is not None
        assert [scheme for scheme, signature in signatures.items() if check.verify(signature, DATA)] == [mine]


ENCODINGS: list[tuple[str, str, str, str]] = [
    # the sentence, the type, the scheme, the public value: all of them the same P-256 key
    ("PEM, as new tools write it", "ecdsa", "ecdsa-sha2-nistp256", pem(P256)),
    ("PEM under the legacy type, as in Sigstore's roots 5 to 9 (S7)", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", pem(P256)),
    ("the hex of an uncompressed point, as in Sigstore's roots 1 to 4 (S7)", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", point(P256)),
    ("the hex of a point under the new type", "ecdsa", "ecdsa-sha2-nistp256", point(P256)),
    ("the hex of a point in capitals", "ecdsa", "ecdsa-sha2-nistp256", point(P256).upper()),
    ("PEM with other line breaks", "ecdsa", "ecdsa-sha2-nistp256", pem(P256).replace("\n", "\r\n")),
    ("PEM without the last line break", "ecdsa", "ecdsa-sha2-nistp256", pem(P256).rstrip()),
    ("PEM in lines of another length", "ecdsa", "ecdsa-sha2-nistp256", short_lines(pem(P256))),
    ("PEM of a compressed point", "ecdsa", "ecdsa-sha2-nistp256", compressed(P256)),
]


@pytest.mark.parametrize(("sentence", "keytype", "scheme", "public"), ENCODINGS, ids=[row[0] for row in ENCODINGS])
def test_one_key_in_many_encodings_is_one_key(sentence: str, keytype: str, scheme: str, public: str) -> None:
    """It verifies in each of them, and its material is the same, so it can never count twice (B023, VARIANTS X3)."""
    assert isinstance(P256, ec.EllipticCurvePrivateKey)
    key, plain = make_key(keytype, scheme, public), make_key("ecdsa", "ecdsa-sha2-nistp256", pem(P256))
    check, first = key.verifier(), plain.verifier()
    assert check is not None
    assert first is not None
    assert check.material == first.material
    assert same_key(key, plain)
    assert check.verify(P256.sign(DATA, ec.ECDSA(hashes.SHA256())), DATA)


def test_keys_that_differ_are_told_apart() -> None:
    """By their material where they can be read, by how they are written where not."""
    assert not same_key(make_key("ed25519", "ed25519", "00" * 32), make_key("ed25519", "ed25519", "01" + "00" * 31))
    assert not same_key(make_key("new", "new", "a"), make_key("new", "new", "b"))
    assert not same_key(make_key("new", "new", "a"), make_key("ed25519", "ed25519", "00" * 32))
    assert same_key(make_key("new", "new", "a"), make_key("new", "new", "a"))
    assert same_key(make_key("rsa", "rsassa-pss-sha256", pem(RSA)), make_key("rsa", "rsa-pkcs1v15-sha512", pem(RSA)))


UNREADABLE: list[tuple[str, str, str, str]] = [
    ("a type that nobody knows", "cuneiform", "ed25519", "00" * 32),
    ("a scheme that nobody knows", "ed25519", "ed25519ph", "00" * 32),
    ("a type and a scheme that do not go together", "rsa", "ed25519", "00" * 32),
    ("an RSA key by an elliptic scheme", "ecdsa", "ecdsa-sha2-nistp256", pem(RSA)),
    ("an elliptic key by an RSA scheme", "rsa", "rsassa-pss-sha256", pem(P256)),
    ("a scheme of RSA under an elliptic type", "ecdsa", "rsassa-pss-sha256", pem(RSA)),
    ("an Edwards key by an elliptic scheme", "ecdsa", "ecdsa-sha2-nistp256", pem(PRIVATE["ed25519"])),
    ("another curve's point", "ecdsa", "ecdsa-sha2-nistp256", point(P384)),
    ("another curve's PEM (B094)", "ecdsa", "ecdsa-sha2-nistp256", pem(P384)),
    ("another curve under the legacy type", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp256", pem(P256)),
    ("a curve that is not TUF's", "ecdsa", "ecdsa-sha2-nistp256", pem(ec.generate_private_key(ec.SECP256K1()))),
    ("a point that is not on the curve", "ecdsa", "ecdsa-sha2-nistp256", "04" + "01" * 64),
    ("a point in hybrid form", "ecdsa", "ecdsa-sha2-nistp256", "06" + point(P256)[2:]),
    ("the point at infinity", "ecdsa", "ecdsa-sha2-nistp256", "00"),
    ("a point that is cut short", "ecdsa", "ecdsa-sha2-nistp256", point(P256)[:-2]),
    ("a point with one digit too few", "ecdsa", "ecdsa-sha2-nistp256", point(P256)[:-1]),
    ("no point", "ecdsa", "ecdsa-sha2-nistp256", ""),
    ("an Edwards key of 31 bytes (B089)", "ed25519", "ed25519", "00" * 31),
    ("an Edwards key of 33 bytes (B089)", "ed25519", "ed25519", "00" * 33),
    ("an Edwards key of no bytes (B089)", "ed25519", "ed25519", ""),
    ("an Edwards key that is no hex", "ed25519", "ed25519", "zz" * 32),
    ("an Edwards key with blanks in it", "ed25519", "ed25519", "00 " * 32),
    ("an Edwards key in other scripts' digits", "ed25519", "ed25519", "٠" * 64),
    ("an Edwards key in PEM", "ed25519", "ed25519", pem(PRIVATE["ed25519"])),
    ("an Edwards key of another curve", "ed25519", "ed25519", ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw().hex()),
    ("an RSA key of 1024 bits", "rsa", "rsassa-pss-sha256", pem(SMALL_RSA)),
    ("an RSA key that is no PEM", "rsa", "rsassa-pss-sha256", "AAAA"),
    ("an RSA key without its last line", "rsa", "rsassa-pss-sha256", pem(RSA).rpartition("-----END")[0]),
    ("an RSA key that is cut short", "rsa", "rsassa-pss-sha256", pem(RSA).replace("IDAQAB", "")),
    ("PEM whose inside is no base64", "rsa", "rsassa-pss-sha256", "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----"),
    ("PEM whose inside is not ASCII", "rsa", "rsassa-pss-sha256", "-----BEGIN PUBLIC KEY-----\nÄÖÜß\n-----END PUBLIC KEY-----"),
    ("PEM with nothing inside", "ml-dsa", "ml-dsa-44/1", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"),
    ("another size of ML-DSA", "ml-dsa", "ml-dsa-44/1", pem(PRIVATE["ml-dsa-65/1"])),
    ("a key of endless length", "rsa", "rsassa-pss-sha256", pem(RSA) + " " * MAX_PUBLIC),
]


@pytest.mark.parametrize(("sentence", "keytype", "scheme", "public"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_a_key_that_cannot_be_read_never_counts_and_never_raises(sentence: str, keytype: str, scheme: str, public: str) -> None:
    """It is carried along: another client may know it, and a document is not refused for it (TAP 12, B083)."""
    assert verifier(keytype, scheme, public) is None


@pytest.mark.parametrize("keyval", [{}, {"public": None}, {"public": 1}, {"public": {"pem": "x"}}, {"private": "00" * 32}])
def test_a_key_without_a_public_value_never_counts(keyval: dict[str, Any]) -> None:
    assert Key(keytype="ed25519", scheme="ed25519", keyval=keyval).verifier() is None


def test_random_damage_to_a_key_never_raises() -> None:
    """Whatever stands in a document as a key, reading it answers; what is still read is a key of that scheme."""
    chance = random.Random(7)
    readable = 0
    for scheme, private in PRIVATE.items():
        text = private.public_key().public_bytes_raw().hex() if scheme == "ed25519" else pem(private)  # type: ignore[union-attr]
        keytype = {"ec": "ecdsa", "rs": "rsa", "ml": "ml-dsa", "ed": "ed25519"}[scheme[:2]]
        for _ in range(60):
            letters = list(text)
            for _ in range(chance.randrange(1, 4)):
                letters[chance.randrange(len(letters))] = chance.choice("ABab09+/=-\n\0 é")
            check = verifier(keytype, scheme, "".join(letters))
            readable += check is not None
            assert check is None or not check.verify(b"\x30\x06\x02\x01\x01\x02\x01\x01", DATA)
    assert readable


def signature_of(scheme: str) -> Callable[[bytes], bytes]:
    key = SSlibKey.from_crypto(PRIVATE[scheme].public_key(), scheme=scheme)
    return lambda data: bytes.fromhex(CryptoSigner(PRIVATE[scheme], key).sign(data).signature)


def test_ml_dsa_signs_a_digest_with_a_prefix() -> None:
    """A signature over the bare data is not good: another protocol's signature must not become ours (TAP 21, B027)."""
    private = PRIVATE["ml-dsa-44/1"]
    assert isinstance(private, mldsa.MLDSA44PrivateKey)
    check = verifier("ml-dsa", "ml-dsa-44/1", pem(private))
    assert check is not None
    assert not check.verify(private.sign(DATA), DATA)
    assert check.verify(private.sign(b"tuf\x01" + hashlib.sha512(DATA).digest()), DATA)
    assert check.verify(signature_of("ml-dsa-44/1")(DATA), DATA)


def test_the_reference_implementation_refuses_what_we_refuse() -> None:
    """A signature of one curve's key over data hashed for another is good for nobody (B094)."""
    assert isinstance(P384, ec.EllipticCurvePrivateKey)
    theirs = SSlibKey.from_crypto(P384.public_key())
    wrong = P384.sign(DATA, ec.ECDSA(hashes.SHA256()))
    check = ours(theirs).verifier()
    assert check is not None
    assert not check.verify(wrong, DATA)
    with pytest.raises(UnverifiedSignatureError):
        theirs.verify_signature(TheirSignature(theirs.keyid, wrong.hex()), DATA)
