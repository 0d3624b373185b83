"""A new repository, whole or not at all.

It is made in a hidden directory beside its place and then renamed. Its keys are new, the first root is signed by all
of them that are root's, and everything is published at version 1, so that it can be served and pinned at once.
"""

import hashlib
import os
import secrets
import stat
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from tuffet.errors import SigningError, UsageError
from tuffet.keys.signer import Signer
from tuffet.repository.first_release import publish_first
from tuffet.repository.key_files import KeyFactory, key_path
from tuffet.repository.policy import FILE, parse_policy
from tuffet.repository.policy_text import Choices, policy_text
from tuffet.repository.site import Site
from tuffet.repository.staging import PRIVATE_DIRECTORY, Staging
from tuffet.storage.directory import DirectoryStore
from tuffet.storage.disk import RESERVED, Disk, create_once, discard, explained, make_directory

PUBLIC: Final = "public"
STAGED: Final = "staged"
_UNFINISHED: Final = f"{RESERVED}new-"
_OLD_SECONDS: Final = 3600


def create(directory: str | os.PathLike[str], new_key: KeyFactory, choices: Choices, now: datetime, disk: Disk) -> None:
    """Make the repository; UsageError if something is there already, or if that directory cannot be replaced."""
    place = Path(directory).resolve()
    _require_free(place)
    make_directory(place.parent, disk=disk)
    _sweep(place.parent, disk)
    unfinished = place.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
    make_directory(unfinished, disk=disk)
    try:
        _fill(unfinished, new_key, choices, now, disk)
        with explained(str(place)):
            # The system refuses to put one directory in the place of another that is not empty.
            disk.replace(str(unfinished), str(place))
            disk.fsync_directory(str(place.parent))
    except BaseException:
        _remove_tree(unfinished, disk)
        raise


def _fill(directory: Path, new_key: KeyFactory, choices: Choices, now: datetime, disk: Disk) -> None:
    # What the owner will read is what the repository is made by.
    policy = parse_policy(policy_text(choices))
    make_directory(directory / "keys", PRIVATE_DIRECTORY, disk=disk)
    keyring: dict[str, Signer] = {name: new_key(name, key_path(directory, key), disk) for name, key in policy.keys.items()}
    verifiers = [signer.key.verifier() for signer in keyring.values()]
    if len({verifier.material for verifier in verifiers if verifier}) != len(keyring):
        raise SigningError("every key of a new repository must be another one, and of a scheme that is known here")
    Staging(directory / STAGED, disk=disk).prepare()
    root = publish_first(Site(DirectoryStore(directory / PUBLIC, disk), policy), keyring, now)
    text = policy_text(choices, hashlib.sha256(root).hexdigest(), {name: signer.keyid for name, signer in keyring.items()})
    create_once(directory / FILE, text.encode(), disk=disk)


def _require_free(place: Path) -> None:
    with explained(str(place)):
        if not place.exists():
            return
        if not place.is_dir() or any(place.iterdir()):
            raise UsageError(f"{place} exists and is not an empty directory: name a new one")
        if place.is_mount() or place == Path.cwd() or not os.access(place.parent, os.W_OK):
            # A new directory takes its place, which would leave this process in one that is gone.
            raise UsageError(f"{place} cannot be replaced as a whole: name a new directory below it")


def _sweep(parent: Path, disk: Disk) -> None:
    """Take away what runs that died left here; what is young may belong to one that lives."""
    for path in parent.glob(f"{_UNFINISHED}*"):
        with suppress(FileNotFoundError):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_mtime < time.time() - _OLD_SECONDS:
                _remove_tree(path, disk)


def _remove_tree(tree: Path, disk: Disk) -> None:
    for folder, folders, files in os.walk(tree, topdown=False):
        for name in files:
            discard(str(Path(folder, name)), disk=disk)
        for name in folders:
            with suppress(OSError):
                Path(folder, name).rmdir()
    with suppress(OSError):
        tree.rmdir()
