"""The policy that a new repository starts with, written for the person who will change it.

Why these periods: the timestamp's bounds how long a freeze stays unnoticed, and a week survives a broken timer over
a long weekend; a snapshot changes with every release anyway; bins are signed by a machine; targets and root need
people, who meet once a year. Each is renewed when a third of its life is left, so a failure leaves time for repair.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from tuffet.errors import UsageError
from tuffet.repository.policy import BINS, Algorithm

NO_ROOT: Final = "0" * 64
"""Stands for the digest of the first root until there is one."""


class Choices(NamedTuple):
    """What may be chosen when a repository is made; everything else is changed in the file."""

    envelope: Literal["tuf-json", "dsse"] = "tuf-json"
    bins: int | None = None
    root_keys: int = 3
    root_threshold: int = 2
    hashes: Sequence[Algorithm] = ("sha256",)


DEFAULT: Final = Choices()


def policy_text(choices: Choices, root_sha256: str = NO_ROOT, keyids: Mapping[str, str] | None = None) -> str:
    """Return the commented TOML; `keyids` by key name."""
    if not 1 <= choices.root_keys <= 99:
        raise UsageError(f"a root has from 1 to 99 keys, not {choices.root_keys}")
    root_keys = [f"root-{number}" for number in range(1, choices.root_keys + 1)]
    binned = choices.bins is not None
    names = [*root_keys, "targets", *([BINS] if binned else []), "snapshot", "timestamp"]
    parts = [
        _HEAD.format(
            envelope=choices.envelope,
            hashes=", ".join(f'"{name}"' for name in choices.hashes),
            # With many bins the digests would be most of the snapshot, which every client fetches.
            in_snapshot="false" if binned else "true",
            root_sha256=root_sha256,
        ),
        _role(
            "root", root_keys, choices.root_threshold, "365d", "120d", "Root says whose signatures count. Keep its keys apart and offline."
        ),
        _role("targets", ["targets"], 1, "365d", "120d", _TARGETS_BINNED if binned else _TARGETS),
        *([_BINS.format(count=choices.bins), _role(BINS, [BINS], 1, "90d", "30d", "All bins share their keys.")] if binned else []),
        _role("snapshot", ["snapshot"], 1, "30d", "10d", "Snapshot says which versions of the roles belong together."),
        _role(
            "timestamp", ["timestamp"], 1, "7d", "3d", "Timestamp says what is newest: its period is how long a freeze can stay unnoticed."
        ),
        _KEYS,
        *(_key(name, (keyids or {}).get(name)) for name in names),
    ]
    return "\n".join(parts)


def key_file(name: str) -> str:
    """Return where the private key of this name is kept, relative to the repository."""
    return f"keys/{name}.key.json"


def _role(name: str, keys: Sequence[str], threshold: int, expires: str, renew_before: str, why: str) -> str:
    listed = ", ".join(f'"{key}"' for key in keys)
    return f'# {why}\n[roles.{name}]\nkeys = [{listed}]\nthreshold = {threshold}\nexpires = "{expires}"\nrenew_before = "{renew_before}"\n'


def _key(name: str, keyid: str | None) -> str:
    return f'[keys.{name}]\nfile = "{key_file(name)}"\n' + (f'keyid = "{keyid}"\n' if keyid else "")


_HEAD: Final = """\
# The policy of this repository. What is published is in public/, which any web server can serve.
# Keys and thresholds also stand in the signed root: changing them here alone changes nothing that is published.

[repository]
# How documents are written: "tuf-json", or "dsse" (TAP 17). Clients must be told.
envelope = "{envelope}"
# Under which digests targets are listed and stored: "sha256", "sha512".
hashes = [{hashes}]
# Whether the snapshot lists lengths and digests of the other documents besides their versions.
hashes_in_snapshot = {in_snapshot}
# The SHA-256 of 1.root.json. Nothing in public/ is believed that does not follow from it.
root_sha256 = "{root_sha256}"

# expires: how long a signature lasts, in days or hours. renew_before: `tuffet renew` signs again when less is left.
"""
_TARGETS: Final = "Targets lists the files that clients may download."
_TARGETS_BINNED: Final = "Targets delegates to the bins and need not be at hand to publish."
_BINS: Final = """\
# Targets are spread over this many roles, so that clients fetch only a small part of the list.
[bins]
count = {count}
"""
_KEYS: Final = """\
# Where private keys are. A file may be moved away, to be brought back when it has to sign; back all of them up.
"""
