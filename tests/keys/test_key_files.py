"""Private keys at rest: encrypted, private, bound to their public half, and never overwritten."""

import base64
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuffet.errors import ConflictError, SigningError, StorageError, TuffetError, UsageError
from tuffet.keys.files import MAX_COST_BYTES, Cost, KeyFile, write_key_file
from tuffet.keys.memory import MemorySigner
from tuffet.keys.schemes import SCHEMES
from tuffet.metadata.keys import same_key
from tuffet.storage.disk import DISK
from tuffet.testing.crash import crashes

PASSPHRASE = "correct horse battery stäple"
CHEAP = Cost(n=16)
SIGNER = MemorySigner.generate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "root.key"


@pytest.fixture
def encrypted(path: Path) -> Path:
    write_key_file(DISK, path, SIGNER, PASSPHRASE, cost=CHEAP)
    return path


@pytest.fixture
def plain(path: Path) -> Path:
    write_key_file(DISK, path, SIGNER, None, unencrypted=True)
    return path


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if not name.startswith("rsa") or name == "rsassa-pss-sha256"])
def test_every_kind_of_key_comes_back(path: Path, scheme: str) -> None:
    """The signer that is unlocked has the same key and signs what that key verifies."""
    signer = MemorySigner.generate(scheme)
    write_key_file(DISK, path, signer, PASSPHRASE, cost=CHEAP)
    file = KeyFile.read(path)
    again = file.unlock(PASSPHRASE)
    verifier = signer.key.verifier()
    assert verifier is not None
    assert (file.key, file.encrypted, again.keyid, again.private_bytes()) == (signer.key, True, signer.keyid, signer.private_bytes())
    assert verifier.verify(again.sign(b"data"), b"data")


def test_the_form_is_the_documented_one(encrypted: Path) -> None:
    """JSON that anybody can read the public half of; the private half is nowhere in it."""
    text = encrypted.read_text()
    document = json.loads(text)
    assert document["tuffet-key"] == 1
    assert document["key"] == {"keytype": "ed25519", "scheme": "ed25519", "keyval": SIGNER.key.keyval}
    assert set(document["private"]) == {"encryption", "n", "r", "p", "salt", "nonce", "data"}
    secret = SIGNER.private_bytes()[-32:]
    assert secret.hex() not in text
    assert base64.b64encode(secret).decode() not in text
    assert PASSPHRASE not in text


def test_the_default_cost_is_high(path: Path) -> None:
    """32 MiB of memory for every guess; no two files share salt or nonce."""
    write_key_file(DISK, path, SIGNER, PASSPHRASE)
    write_key_file(DISK, path.with_name("other"), SIGNER, PASSPHRASE, cost=CHEAP)
    private, other = (json.loads(file.read_text())["private"] for file in (path, path.with_name("other")))
    assert (private["n"], private["r"], private["p"]) == (32_768, 8, 1)
    assert private["salt"] != other["salt"]
    assert private["nonce"] != other["nonce"]
    assert KeyFile.read(path).unlock(PASSPHRASE).keyid == SIGNER.keyid


@pytest.mark.usefixtures("no_umask")
@pytest.mark.parametrize("unencrypted", [False, True])
def test_the_file_is_private_without_any_umask(path: Path, *, unencrypted: bool) -> None:
    """0600 though the umask is 0 (B001)."""
    write_key_file(DISK, path, SIGNER, None if unencrypted else PASSPHRASE, unencrypted=unencrypted, cost=CHEAP)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused(plain: Path, mode: int) -> None:
    """The message says chmod 600 (B001)."""
    plain.chmod(mode)
    with pytest.raises(StorageError, match=r"root.key: others may read this private file: .*chmod 600"):
        KeyFile.read(plain)


def test_a_key_is_never_overwritten(encrypted: Path) -> None:
    """A second key at the same path is a conflict, and the first one stays."""
    before = encrypted.read_bytes()
    with pytest.raises(ConflictError, match="never overwritten"):
        write_key_file(DISK, encrypted, MemorySigner.generate(), "other", cost=CHEAP)
    assert encrypted.read_bytes() == before


def test_writing_dies_at_every_step(path: Path) -> None:
    """The key file is whole or absent, and a second try works or says that it is there."""
    for _ in crashes(lambda disk: write_key_file(disk, path, SIGNER, PASSPHRASE, cost=CHEAP), power=True):
        if path.exists():
            assert KeyFile.read(path).unlock(PASSPHRASE).keyid == SIGNER.keyid
            path.unlink()
    assert KeyFile.read(path).unlock(PASSPHRASE).keyid == SIGNER.keyid


@pytest.mark.parametrize("passphrase", ["", " ", "\t\n", None])
def test_an_empty_passphrase_is_none(path: Path, passphrase: str | None) -> None:
    """Nothing is written unless an unencrypted file was asked for by name (B063)."""
    with pytest.raises(UsageError, match="needs a passphrase that is not empty"):
        write_key_file(DISK, path, SIGNER, passphrase, cost=CHEAP)
    with pytest.raises(UsageError, match="not both"):
        write_key_file(DISK, path, SIGNER, passphrase or "", unencrypted=True)
    assert not path.exists()


@pytest.mark.parametrize("wrong", ["wr0ng", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_a_wrong_passphrase_is_named(encrypted: Path, wrong: str) -> None:
    """Cause and cure, and neither the wrong nor the right passphrase in the message or its causes."""
    with pytest.raises(SigningError, match=r"root.key does not open: the passphrase is wrong or .* try the passphrase again") as refused:
        KeyFile.read(encrypted).unlock(wrong)

    assert wrong not in f"{refused.value!r}{refused.value.__cause__!r}"


@pytest.mark.parametrize("none", [None, ""])
def test_an_encrypted_file_needs_a_passphrase(encrypted: Path, none: str | None) -> None:
    """Its public half does not."""
    file = KeyFile.read(encrypted)
    assert (file.key, file.encrypted) == (SIGNER.key, True)
    with pytest.raises(SigningError, match="is encrypted: give its passphrase"):
        file.unlock(none)


def test_an_unencrypted_file_asks_for_none(plain: Path) -> None:
    """And one that is given anyway, say from the environment, does no harm (B036)."""
    file = KeyFile.read(plain)
    assert not file.encrypted
    assert file.unlock().keyid == file.unlock("anything").keyid == SIGNER.keyid


def test_a_passphrase_may_be_typed_on_any_keyboard(path: Path) -> None:
    """Composed and decomposed letters are the same passphrase."""
    write_key_file(DISK, path, SIGNER, "st\u00e4ple", cost=CHEAP)
    assert KeyFile.read(path).unlock("sta\u0308ple").keyid == SIGNER.keyid


def test_a_file_that_is_gone_is_named(path: Path) -> None:
    """So is one whose directory is gone."""
    for gone in (path, path / "deeper"):
        with pytest.raises(SigningError, match=rf"there is no key file {gone}: give the right path or restore"):
            KeyFile.read(gone)


def test_a_link_to_a_key_is_followed_and_the_file_judged(encrypted: Path) -> None:
    """Secrets are mounted as links; the permissions that count are those of the file itself."""
    link = encrypted.with_name("link")
    link.symlink_to(encrypted)
    assert KeyFile.read(link).key == SIGNER.key
    encrypted.chmod(0o644)
    with pytest.raises(StorageError, match="chmod 600"):
        KeyFile.read(link)


@pytest.mark.parametrize("kind", ["encrypted", "plain"])
def test_every_truncation_is_refused(request: pytest.FixtureRequest, kind: str) -> None:
    """From the empty file to the one that lacks its last brace."""
    data = request.getfixturevalue(kind).read_bytes()
    for length in range(len(data) - 1):
        with pytest.raises(SigningError, match="is no tuffet key file, or it is damaged"):
            KeyFile(data[:length], "file")


@pytest.mark.parametrize("kind", ["encrypted", "plain"])
@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_every_flipped_byte_is_refused(request: pytest.FixtureRequest, kind: str, mask: int) -> None:
    """At the latest when it is unlocked: all that the file says is authenticated, or proved by the key itself (B025).

    Where nothing is encrypted the public half may be spelt differently, and is the same key.
    """
    data = request.getfixturevalue(kind).read_bytes()
    for index in range(len(data)):
        flipped = data[:index] + bytes([data[index] ^ mask]) + data[index + 1 :]
        try:
            signer = KeyFile(flipped, "file").unlock(PASSPHRASE)
        except SigningError:
            continue
        assert kind == "plain"
        assert same_key(signer.key, SIGNER.key)
        assert signer.private_bytes() == SIGNER.private_bytes()


def altered(path: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> bytes:
    document = json.loads(path.read_text())
    change(document)
    return json.dumps(document).encode()


def test_a_scheme_of_the_future_can_be_looked_at(plain: Path) -> None:
    """The public half is read; unlocking says that a newer tuffet is needed."""
    file = KeyFile(altered(plain, lambda document: document["key"].update(scheme="ed25519/2")), "file")
    assert file.key.scheme == "ed25519/2"
    with pytest.raises(SigningError, match=r"unknown here, 'ed25519/2': use a newer tuffet"):
        file.unlock()


def test_the_public_half_of_another_key_is_refused(path: Path, tmp_path: Path) -> None:
    """In an encrypted file the passphrase guards it; in any file the private half proves it (B025)."""
    other = dict(MemorySigner.generate().key.keyval)
    for name, passphrase, message in (("a", PASSPHRASE, "the file was changed"), ("b", None, "do not belong together")):
        write_key_file(DISK, tmp_path / name, SIGNER, passphrase, unencrypted=passphrase is None, cost=CHEAP)
        file = KeyFile(altered(tmp_path / name, lambda document: document["key"].update(keyval=other)), "file")
        with pytest.raises(SigningError, match=message):
            file.unlock(passphrase)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2**15 * 8 * 1024),
        ("n", 2**60),
        ("r", 2**20),
        ("r", 0),
        ("p", 5),
        ("p", 0),
        ("n", 1),
        ("n", 15),
        ("n", -16),
        ("n", True),
        ("n", 16.0),
        ("n", "16"),
        ("salt", "00" * 15),
        ("nonce", "00" * 13),
        ("data", "0"),
        ("data", "AA"),
        ("data", "00\n"),
        ("data", ""),
        ("encryption", "rot13"),
        ("encryption", "none"),
        ("more", 1),
    ],
)
def test_a_hostile_file_costs_nothing(encrypted: Path, name: str, value: object) -> None:
    """Memory and time are bounded before scrypt is called; other forms are refused."""
    data = altered(encrypted, lambda document: document["private"].update({name: value}))
    with pytest.raises(SigningError, match="is no tuffet key file"):
        KeyFile(data, "file")


def test_the_largest_cost_that_is_read_is_bounded() -> None:
    """256 MiB, eight times the default."""
    assert 8 * 128 * Cost().n * Cost().r == MAX_COST_BYTES


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff", b"-----BEGIN PRIVATE KEY-----", b'{"tuffet-key":2}', b"[" * 100_000])
def test_other_files_are_no_key_files(path: Path, data: bytes) -> None:
    """A clear refusal for whatever else may lie there, also for far too much of it."""
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(TuffetError, match=r"no tuffet key file|more than the 65536 bytes"):
        KeyFile.read(path)


def test_nothing_secret_is_shown(encrypted: Path) -> None:
    """The repr says which file it is and whether it is encrypted."""
    assert repr(KeyFile.read(encrypted)) == f"KeyFile({str(encrypted)!r}, encrypted)"
