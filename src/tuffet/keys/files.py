"""Key files: a private key at rest, readable by its owner only, and encrypted unless that is declined by name.

The file is JSON. Its public half needs no passphrase; the private half (PKCS#8 DER) is encrypted by ChaCha20-Poly1305
under scrypt of the passphrase, and everything else in the file is authenticated with it. It is created once, 0600,
and never overwritten. What is read is not believed: its cost is bounded, and its halves must belong together (B025).
"""

import os
import unicodedata
from typing import Annotated, Final, Literal, NamedTuple, Self

import msgspec
from cryptography.exceptions import InternalError, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import load_der_private_key

from tuffet.errors import FormatError, SigningError, UsageError
from tuffet.keys.memory import MemorySigner
from tuffet.keys.schemes import SCHEMES
from tuffet.metadata.canonical import encode_canonical, parse_json
from tuffet.metadata.keys import Key, make_key
from tuffet.storage.disk import DISK, Disk, create_once, read_bounded

MAX_FILE_BYTES: Final = 65_536
MAX_COST_BYTES: Final = 1 << 28
"""The memory that scrypt may use for a file, 256 MiB; it uses 128 * n * r bytes."""

# One spelling only, so that no bit of the file can change unnoticed.
_Hex = Annotated[str, msgspec.Meta(pattern=r"\A(?:[0-9a-f]{2})+\Z")]


class Cost(NamedTuple):
    """The work that each try of a passphrase takes (scrypt): the default is a tenth of a second and 32 MiB."""

    n: int = 2**15
    r: int = 8
    p: int = 1


class _Encrypted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="encryption", tag="scrypt+chacha20-poly1305"):
    n: Annotated[int, msgspec.Meta(ge=2)]
    r: Annotated[int, msgspec.Meta(ge=1)]
    p: Annotated[int, msgspec.Meta(ge=1, le=4)]
    salt: Annotated[_Hex, msgspec.Meta(min_length=32, max_length=32)]
    nonce: Annotated[_Hex, msgspec.Meta(min_length=24, max_length=24)]
    data: _Hex

    def __post_init__(self) -> None:
        if self.n & (self.n - 1) or 128 * self.n * self.r > MAX_COST_BYTES:
            raise ValueError("the cost is none of scrypt, or more than is allowed")


class _Plain(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="encryption", tag="none"):
    data: _Hex


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    public: str


class _Public(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keytype: str
    scheme: str
    keyval: _Value


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"version": "tuffet-key"}):
    version: Literal[1]
    key: _Public
    private: _Encrypted | _Plain


class KeyFile:
    """A key file as read: its public half at once, a signer when unlocked."""

    def __init__(self, data: bytes, where: str) -> None:
        self._where = where
        try:
            value, _ = parse_json(data)
            self._document = msgspec.convert(value, _Document)
        except (FormatError, msgspec.ValidationError) as error:
            raise self._damaged() from error
        public = self._document.key
        self._key = make_key(public.keytype, public.scheme, public.keyval.public)

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, disk: Disk = DISK) -> Self:
        """Read the file; SigningError if it is gone or damaged, StorageError if others may read it."""
        where = os.fspath(path)
        # A link to a key is the operator's own, and secrets are mounted so; the permissions that count are the file's.
        data = read_bounded(os.path.realpath(where), MAX_FILE_BYTES, private=True, disk=disk)
        if data is None:
            raise SigningError(f"there is no key file {where}: give the right path or restore it from its backup")
        return cls(data, where)

    @property
    def key(self) -> Key:
        """The public half, as documents carry it; not proved to belong to the private one before `unlock`."""
        return self._key

    @property
    def encrypted(self) -> bool:
        """Whether `unlock` needs a passphrase."""
        return isinstance(self._document.private, _Encrypted)

    def unlock(self, passphrase: str | None = None) -> MemorySigner:
        """Return the signer; SigningError without the right passphrase. A file that is not encrypted takes any or none (B036)."""
        private = self._document.private
        data = bytes.fromhex(private.data)
        if self._key.scheme not in SCHEMES:
            raise SigningError(f"key file {self._where} is of a scheme that is unknown here, {self._key.scheme[:40]!a}: use a newer tuffet")
        if isinstance(private, _Encrypted):
            if not passphrase:
                raise SigningError(f"key file {self._where} is encrypted: give its passphrase")
            cipher = _cipher(passphrase, bytes.fromhex(private.salt), Cost(private.n, private.r, private.p))
            try:
                data = cipher.decrypt(bytes.fromhex(private.nonce), data, _associated(self._document))
            except InvalidTag as error:
                raise SigningError(
                    f"key file {self._where} does not open: the passphrase is wrong or the file was changed;"
                    " try the passphrase again, then restore the file from its backup"
                ) from error
        try:
            loaded = load_der_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
            # OpenSSL answers some broken keys by an error that cryptography calls internal. The cause is left out, because
            # it may speak of the key.
            raise self._damaged() from None
        return MemorySigner(loaded, key=self._key)

    def __repr__(self) -> str:
        return f"KeyFile({self._where!r}, {'' if self.encrypted else 'not '}encrypted)"

    def _damaged(self) -> SigningError:
        return SigningError(f"{self._where} is no tuffet key file, or it is damaged: give the right path or restore it from its backup")


def write_key_file(
    disk: Disk,
    path: str | os.PathLike[str],
    signer: MemorySigner,
    passphrase: str | None,
    *,
    unencrypted: bool = False,
    cost: Cost | None = None,
) -> None:
    """Create the key file, 0600; ConflictError if the path is taken. Without a passphrase `unencrypted` must be said (B063)."""
    if unencrypted and passphrase is not None:
        raise UsageError("an unencrypted key file takes no passphrase: give the passphrase or say unencrypted, not both")
    if not unencrypted and not (passphrase or "").strip():
        raise UsageError("a key file needs a passphrase that is not empty: give one, or ask for an unencrypted file by name")
    key, data = signer.key, signer.private_bytes()
    public = _Public(key.keytype, key.scheme, _Value(key.keyval["public"]))
    document = _Document(1, public, _Plain(data.hex()))
    if passphrase is not None:
        cost = cost or Cost()
        salt, nonce = os.urandom(16), os.urandom(12)
        private = _Encrypted(*cost, salt.hex(), nonce.hex(), "")
        sealed = _cipher(passphrase, salt, cost).encrypt(nonce, data, _associated(_Document(1, public, private)))
        document = _Document(1, public, msgspec.structs.replace(private, data=sealed.hex()))
    create_once(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n", 0o600, disk=disk)


def _cipher(passphrase: str, salt: bytes, cost: Cost) -> ChaCha20Poly1305:
    # Keyboards differ in how they compose letters; the same passphrase must give the same key on each.
    secret = unicodedata.normalize("NFC", passphrase).encode()
    try:
        return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=cost.n, r=cost.r, p=cost.p).derive(secret))
    except UnsupportedAlgorithm as error:
        raise SigningError("the cryptography package here was built without scrypt or ChaCha20-Poly1305: use another build") from error


def _associated(document: _Document) -> bytes:
    """Return what is authenticated beside the private key: all of the document but the encrypted bytes."""
    return encode_canonical(msgspec.structs.replace(document, private=msgspec.structs.replace(document.private, data="")))
