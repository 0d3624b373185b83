"""A repository that PyPI's `tuf` writes: its documents, its serialisation, its keys (securesystemslib's CryptoSigner).

`add`, `delegate` and `rotate` change documents, `publish` writes new versions of what changed. `put`, `sign` and
`sign_value` write whatever an attacker would, with any keys.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]
from tuf.api.dsse import SimpleEnvelope
from tuf.api.metadata import (  # type: ignore[attr-defined]
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Signed,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)

TOP_LEVEL: Final = ("root", "timestamp", "snapshot", "targets")
FUTURE: Final = datetime(2099, 1, 1, tzinfo=UTC)
PAST: Final = datetime(2001, 1, 1, tzinfo=UTC)


def new_signer(scheme: str = "ed25519") -> CryptoSigner:
    """Return a new key of a scheme."""
    if scheme == "ed25519":
        return CryptoSigner.generate_ed25519()
    if scheme.startswith("ecdsa"):
        return CryptoSigner.generate_ecdsa(scheme=scheme)
    if scheme.startswith("ml-dsa"):
        return CryptoSigner.generate_mldsa(scheme=scheme)
    return CryptoSigner.generate_rsa(scheme=scheme, size=2048)


class PypiRepository:
    """Files in `folder/metadata` and `folder/targets`; nothing is written before the first `publish`."""

    def __init__(
        self,
        folder: Path,
        *,
        schemes: Sequence[str] = ("ed25519",),
        consistent_snapshot: bool = True,
        hashes_in_meta: bool = True,
        dsse: bool = False,
    ) -> None:
        """Every top-level role gets a key of each scheme, and all of them must sign."""
        self.folder, self.hashes_in_meta, self.dsse = folder, hashes_in_meta, dsse
        self.signers = {role: [new_signer(scheme) for scheme in schemes] for role in TOP_LEVEL}
        self.root = Root(expires=FUTURE, consistent_snapshot=consistent_snapshot)
        for role, signers in self.signers.items():
            self._introduce(role, signers, len(signers))
        self.roles = {"targets": Targets(expires=FUTURE)}
        self.snapshot = Snapshot(expires=FUTURE)
        self.timestamp = Timestamp(expires=FUTURE)
        self.payloads: dict[str, bytes] = {}
        self._first_root = b""
        self._changed: dict[str, None] = {"root": None, "targets": None}
        self._published: set[str] = set()

    @property
    def first_root(self) -> bytes:
        """The root that clients ship with."""
        return self._first_root

    # What an owner does.

    def add(self, path: str, data: bytes, role: str = "targets", custom: Any = None) -> None:
        """Let a role list a target, and put the file where clients look for it."""
        self.payloads[path] = data
        target = TargetFile.from_data(path, data, ["sha256", "sha512"])
        if custom is not None:
            target.unrecognized_fields["custom"] = custom
        self.roles[role].targets[path] = target
        self._changed[role] = None
        for name in target.get_prefixed_paths() if self.root.consistent_snapshot else [path]:
            self.put(f"targets/{name}", data)

    def delegate(
        self,
        name: str,
        by: str = "targets",
        *,
        paths: list[str] | None = None,
        path_hash_prefixes: list[str] | None = None,
        terminating: bool = False,
        keys: int = 1,
        threshold: int = 1,
    ) -> None:
        """Append a delegation; a role that somebody else delegates to already is signed by the keys of both."""
        signers = [new_signer() for _ in range(keys)]
        role = DelegatedRole(name, [_keyid(signer) for signer in signers], threshold, terminating, paths, path_hash_prefixes)
        delegations = self.roles[by].delegations or Delegations({}, {})
        delegations.keys |= {_keyid(signer): signer.public_key for signer in signers}
        assert delegations.roles is not None
        delegations.roles[name] = role
        self.roles[by].delegations = delegations
        self._begin(name, signers)
        self._changed[by] = None

    def delegate_bins(self, prefix: str, bit_length: int, by: str = "targets") -> SuccinctRoles:
        """Delegate to hashed bins, which are all made, and return what names them."""
        signer = new_signer()
        bins = SuccinctRoles([_keyid(signer)], 1, bit_length, prefix)
        self.roles[by].delegations = Delegations({_keyid(signer): signer.public_key}, succinct_roles=bins)
        for name in bins.get_roles():
            self._begin(name, [signer])
        self._changed[by] = None
        return bins

    def rotate(self, role: str, *, schemes: Sequence[str] = ("ed25519",), threshold: int | None = None) -> None:
        """Give a top-level role other keys, in a new root; `publish` signs by them what must be signed anew."""
        old = self.signers[role]
        for signer in old:
            self.root.revoke_key(_keyid(signer), role)
        self.signers[role] = [new_signer(scheme) for scheme in schemes]
        self._introduce(role, self.signers[role], threshold or len(schemes))
        self.publish_root(also_signed_by=old if role == "root" else ())
        if role == "targets":
            self._changed[role] = None

    def publish_root(self, also_signed_by: Sequence[CryptoSigner] = ()) -> None:
        """Write the next root, signed by its own keys and by others as told."""
        self._bump("root", self.root)
        name = f"metadata/{self.root.version}.root.json"
        data = self.put(name, self.sign(self.root, [*also_signed_by, *self.signers["root"]]))
        self._first_root = self._first_root or data
        self._changed.pop("root", None)

    def publish(self) -> None:
        """Write new versions of all that changed, and of snapshot and timestamp."""
        if "root" in self._changed:
            self.publish_root()
        for name in self._changed:
            self._bump(name, self.roles[name])
            data = self.write(name, self.roles[name])
            self.snapshot.meta[f"{name}.json"] = self.meta(self.roles[name].version, data)
        self._changed.clear()
        self._bump("snapshot", self.snapshot)
        self.publish_timestamp(self.write("snapshot", self.snapshot))

    def publish_timestamp(self, snapshot: bytes) -> None:
        """Write a timestamp for the bytes of the snapshot as it is now."""
        self._bump("timestamp", self.timestamp)
        self.timestamp.snapshot_meta = self.meta(self.snapshot.version, snapshot)
        self.write("timestamp", self.timestamp)

    def change(self, role: str) -> Targets:
        """Return a targets role to be edited; the next `publish` writes it."""
        self._changed[role] = None
        return self.roles[role]

    # What an attacker does, too.

    def meta(self, version: int, data: bytes) -> MetaFile:
        """Return what is said of a metadata file."""
        return MetaFile.from_data(version, data, ["sha256"]) if self.hashes_in_meta else MetaFile(version)

    def write(self, role: str, signed: Signed, signers: Sequence[CryptoSigner] | None = None) -> bytes:
        """Write a role under the name that clients ask for, signed by its keys or others, and return the bytes."""
        versioned = self.root.consistent_snapshot and role != "timestamp"
        prefix = f"{signed.version}." if versioned else ""
        name = f"metadata/{prefix}{quote(role, '')}.json"
        return self.put(name, self.sign(signed, self.signers[role] if signers is None else signers))

    def sign(self, signed: Signed, signers: Sequence[CryptoSigner]) -> bytes:
        """Return the file of a document signed by these keys."""
        envelope: Any = SimpleEnvelope.from_signed(signed) if self.dsse else Metadata(signed)
        for signer in signers:
            if self.dsse:
                envelope.sign(signer)
            else:
                envelope.sign(signer, append=True)
        data: bytes = envelope.to_bytes()
        return data

    def sign_value(self, value: dict[str, Any], signers: Sequence[CryptoSigner]) -> bytes:
        """Return the file of a value that need not be a document at all."""
        canonical = str(encode_canonical(value)).encode()
        signatures = [signer.sign(canonical).to_dict() for signer in signers]
        return json.dumps({"signatures": signatures, "signed": value}).encode()

    def put(self, name: str, data: bytes) -> bytes:
        """Put bytes under a name and return them."""
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return data

    # How it is done.

    def _introduce(self, role: str, signers: Sequence[CryptoSigner], threshold: int) -> None:
        self.root.roles[role] = Role([], threshold)
        for signer in signers:
            self.root.add_key(_public(signer), role)

    def _begin(self, name: str, signers: list[CryptoSigner]) -> None:
        self.signers[name] = [*self.signers.get(name, ()), *signers]
        self.roles.setdefault(name, Targets(expires=FUTURE))
        self._changed[name] = None

    def _bump(self, role: str, signed: Signed) -> None:
        if role in self._published:
            signed.version += 1
        self._published.add(role)


def _public(signer: CryptoSigner) -> SSlibKey:
    return signer.public_key


def _keyid(signer: CryptoSigner) -> str:
    keyid: str = signer.public_key.keyid
    return keyid
