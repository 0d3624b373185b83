"""Signers from the key files that a policy names, and new ones for a new repository.

A file is opened when its key first has to sign, and no more files than the threshold asks for. The library never
prompts: whoever calls says where a passphrase comes from.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from tuffet.errors import SigningError
from tuffet.keys.files import Cost, KeyFile, write_key_file
from tuffet.keys.memory import MemorySigner
from tuffet.keys.signer import Signer
from tuffet.metadata.keys import key_id
from tuffet.repository.policy import KeyPolicy, Policy
from tuffet.storage.disk import DISK, Disk

KeyFactory: TypeAlias = Callable[[str, Path, Disk], Signer]
"""Makes the key of a name, writes its file to a path by way of a disk, and returns what signs with it."""


class KeyFiles:
    """The signers of a role, from files; call it with a role. `passphrase` is asked with the name of an encrypted key."""

    def __init__(self, directory: str | os.PathLike[str], policy: Policy, passphrase: Callable[[str], str], disk: Disk = DISK) -> None:
        self._directory, self._policy, self._passphrase, self._disk = directory, policy, passphrase, disk
        self._unlocked: dict[str, Signer] = {}

    def __call__(self, role: str) -> list[Signer]:
        """Return signers up to the role's threshold; keys whose files are elsewhere are passed over."""
        policy = self._policy.of(role)
        signers: list[Signer] = []
        for name in policy.keys:
            if len(signers) < policy.threshold and (signer := self._signer(name)) is not None:
                signers.append(signer)
        return signers

    def _signer(self, name: str) -> Signer | None:
        if name not in self._unlocked:
            path = key_path(self._directory, self._policy.keys[name])
            if not path.exists():
                return None
            file = read_key_file(path, self._policy.keys[name], disk=self._disk)
            self._unlocked[name] = self.unlock(name, file)
        return self._unlocked[name]

    def unlock(self, name: str, file: KeyFile) -> Signer:
        """Return what signs with a key file; a face that knows passphrases already may try those first."""
        return file.unlock(self._passphrase(name) if file.encrypted else None)


def key_path(directory: str | os.PathLike[str], key: KeyPolicy) -> Path:
    """Return where a key file is, or was before it was moved away."""
    return Path(directory) / key.file


def read_key_file(path: str | os.PathLike[str], key: KeyPolicy, *, disk: Disk = DISK) -> KeyFile:
    """Return the key file if it holds the key that the policy says; SigningError or StorageError otherwise."""
    file = KeyFile.read(path, disk=disk)
    keyid = key_id(file.key)
    if key.keyid not in {None, keyid} or key.scheme not in {None, file.key.scheme}:
        raise SigningError(
            f"{path} holds the key {keyid[:12]} ({file.key.scheme}), which is not the one in the policy: bring the right file"
        )
    return file


class NewKeyFiles:
    """Makes keys of one scheme and keeps them in files, encrypted unless that is declined by name (B063)."""

    def __init__(
        self, passphrase: str | None = None, *, unencrypted: bool = False, scheme: str = "ed25519", cost: Cost | None = None
    ) -> None:
        self._passphrase, self._unencrypted, self._scheme, self._cost = passphrase, unencrypted, scheme, cost

    def __call__(self, _: str, path: Path, disk: Disk) -> Signer:
        """Make one key; all keys of a repository get the same passphrase, whatever they are called."""
        signer = MemorySigner.generate(self._scheme)
        write_key_file(disk, path, signer, self._passphrase, unencrypted=self._unencrypted, cost=self._cost)
        return signer
