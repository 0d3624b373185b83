"""The documents that are measured: made by python-tuf's own classes, signed by securesystemslib, alike in every run."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.formats import encode_canonical
from tuf.api.serialization.json import JSONSerializer

from bench.peer import (
    CryptoSigner,
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuffet.metadata import make_key
from tuffet.trust.verify import Role

EXPIRES = datetime(2038, 1, 1, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SPECIFICATION = "1.0.31"


def signer(name: str) -> CryptoSigner:
    """Return the ed25519 signer of this name."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


def role(name: str, key: Key) -> Role:
    """Return the role of one python-tuf key, as tuffet knows roles."""
    return Role(name, (key.keyid,), 1, {key.keyid: make_key(key.keytype, key.scheme, key.keyval["public"])})


def root_for(name: str, key: Key) -> Root:
    """Return a root in which the key speaks for the role, as python-tuf knows it."""
    root = Root(1, SPECIFICATION, EXPIRES)
    root.add_key(key, name)
    return root


def targets(count: int) -> Targets:
    """Return a targets role of so many files, 150 bytes each when written."""
    files = {}
    for number in range(count):
        path = f"packages/{number % 97}/some-package-{number}/file-{number}.tar.gz"
        files[path] = TargetFile(number, {"sha256": hashlib.sha256(path.encode()).hexdigest()}, path)
    return Targets(1, SPECIFICATION, EXPIRES, files)


def snapshot(roles: int, version: int = 1) -> Snapshot:
    """Return a snapshot of so many bins; the later the version, the more of them have moved on."""
    meta = {f"bins-{number:04x}.json": MetaFile(1 + (number < version)) for number in range(roles)}
    return Snapshot(version, SPECIFICATION, EXPIRES, meta | {"targets.json": MetaFile(1)})


def delegating(patterns: list[str], key: Key) -> Targets:
    """Return a targets role that delegates each pattern to a role of its own."""
    roles = {f"role-{number}": DelegatedRole(f"role-{number}", [key.keyid], 1, False, [pattern]) for number, pattern in enumerate(patterns)}  # noqa: FBT003
    return Targets(1, SPECIFICATION, EXPIRES, None, Delegations({key.keyid: key}, roles))


def pem_root() -> dict[str, Any]:
    """Return the signed part of a root whose keys are written as PEM, as in Sigstore's and many another repository."""
    root = Root(1, SPECIFICATION, EXPIRES)
    for number in range(5):
        root.add_key(CryptoSigner(ec.derive_private_key(number + 1, ec.SECP256R1())).public_key, "root")
    for number, name in enumerate(("timestamp", "snapshot", "targets"), 6):
        root.add_key(CryptoSigner(ec.derive_private_key(number, ec.SECP256R1())).public_key, name)
    document: dict[str, Any] = root.to_dict()
    return document


def sealed(signed: Any, *signers: CryptoSigner, layout: str = "canonical") -> bytes:
    """Return the signed file: `canonical`, or `indented` or `compact` as python-tuf writes it."""
    envelope = Metadata(signed)
    for each in signers:
        envelope.sign(each, append=True)
    if layout != "canonical":
        return envelope.to_bytes(JSONSerializer(compact=layout == "compact"))
    text = encode_canonical(envelope.to_dict())
    assert isinstance(text, str)
    return text.encode()


def repository(roots: int, version: int, files: int = 100) -> dict[str, bytes]:
    """Return the metadata of a consistent-snapshot repository by file name, after so many versions of its roots and of the rest."""
    names = ("root", "timestamp", "snapshot", "targets")
    signers = {name: signer(name) for name in names}
    root = Root(1, SPECIFICATION, EXPIRES, consistent_snapshot=True)
    for name in names:
        root.add_key(signers[name].public_key, name)
    made = {}
    for number in range(1, roots + 1):
        root.version = number
        made[f"{number}.root.json"] = sealed(root, signers["root"], layout="compact")
    listed = targets(files)
    listed.version = version
    snap = Snapshot(version, SPECIFICATION, EXPIRES, {"targets.json": MetaFile(version)})
    made[f"{version}.targets.json"] = sealed(listed, signers["targets"], layout="compact")
    made[f"{version}.snapshot.json"] = sealed(snap, signers["snapshot"], layout="compact")
    made["timestamp.json"] = sealed(Timestamp(version, SPECIFICATION, EXPIRES, MetaFile(version)), signers["timestamp"], layout="compact")
    return made
