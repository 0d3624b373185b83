"""Attacks on who said it: signatures, keys, thresholds, and the roots that name them. `test_verdicts.py` says what comes of each."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from tests.interop.pypi_repository import PAST, PypiRepository, new_signer

Repo = PypiRepository


def timestamp_by_a_stranger(repo: Repo) -> None:
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp, [new_signer()])


def timestamp_of_one_where_two_must_sign(repo: Repo) -> None:
    repo.rotate("timestamp", schemes=["ed25519", "ed25519"])
    repo.publish()
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp, repo.signers["timestamp"][:1])


def timestamp_signed_twice_by_one_key(repo: Repo) -> None:
    timestamp_of_one_where_two_must_sign(repo)
    edit_envelope(repo, "timestamp.json", lambda envelope: envelope["signatures"].append(envelope["signatures"][0]))


def timestamp_with_a_signature_too_many(repo: Repo) -> None:
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp, [new_signer(), *repo.signers["timestamp"]])


def timestamp_with_an_empty_signature(repo: Repo) -> None:
    timestamp_with_a_signature_too_many(repo)
    edit_envelope(repo, "timestamp.json", lambda envelope: envelope["signatures"][0].update(sig=""))


def one_key_under_two_ids(repo: Repo) -> None:
    (signer,) = repo.signers["timestamp"]
    twin = CryptoSigner(signer._private_key, renamed(signer.public_key))
    repo.signers["timestamp"] = [signer, twin]
    repo.root.add_key(twin.public_key, "timestamp")
    repo.root.roles["timestamp"].threshold = 2
    repo.publish_root()
    repo.publish()


def keys_under_ids_of_their_owners_choice(repo: Repo) -> None:
    signer = new_signer()
    repo.root.revoke_key(repo.signers["timestamp"][0].public_key.keyid, "timestamp")
    repo.signers["timestamp"] = [CryptoSigner(signer._private_key, renamed(signer.public_key))]
    repo.root.add_key(repo.signers["timestamp"][0].public_key, "timestamp")
    repo.publish_root()
    repo.publish()


def delegated_role_signed_by_its_neighbour(repo: Repo) -> None:
    repo.add("one/file", b"forged", "one")
    repo.signers["one"] = repo.signers["two"]
    repo.publish()


def bytes_changed_after_signing(repo: Repo) -> None:
    repo.publish()
    edit_envelope(repo, "timestamp.json", lambda envelope: envelope["signed"].update(version=99))


# Roots.


def root_not_signed_by_the_old_keys(repo: Repo) -> None:
    repo.signers["root"] = [new_signer()]
    old = next(iter(repo.root.roles["root"].keyids))
    repo.root.revoke_key(old, "root")
    repo.root.add_key(repo.signers["root"][0].public_key, "root")
    repo.publish_root()


def root_not_signed_by_its_own_keys(repo: Repo) -> None:
    root = deepcopy(repo.root)
    root.version += 1
    root.revoke_key(root.roles["root"].keyids[0], "root")
    root.add_key(new_signer().public_key, "root")
    repo.write("root", root)


def root_that_leaves_out_a_version(repo: Repo) -> None:
    root = deepcopy(repo.root)
    root.version += 2
    repo.put("metadata/2.root.json", repo.sign(root, repo.signers["root"]))


def root_that_is_the_old_one(repo: Repo) -> None:
    repo.put("metadata/2.root.json", repo.first_root)


def root_that_names_a_key_twice_for_a_role(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["timestamp"]["keyids"] *= 2
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_threshold_of_zero(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["timestamp"]["threshold"] = 0
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_threshold_of_true(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["timestamp"]["threshold"] = True
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_role_of_mirrors(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["mirrors"] = root["roles"]["timestamp"]
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_of_the_second_specification(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2, "spec_version": "2.0.0"}
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_key_of_an_unknown_kind(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["keys"]["f" * 64] = {"keytype": "lattice", "scheme": "lattice-9", "keyval": {"public": "00"}}
    root["roles"]["timestamp"]["keyids"].append("f" * 64)
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def expired_root(repo: Repo) -> None:
    repo.root.expires = PAST
    repo.publish_root()


def expired_root_on_the_way_to_a_fresh_one(repo: Repo) -> None:
    fresh = repo.root.expires
    expired_root(repo)
    repo.root.expires = fresh
    repo.publish_root()


def renamed(key: Any) -> SSlibKey:
    """Return the same key under another id."""
    return SSlibKey(f"my-{key.keyid[:6]}", key.keytype, key.scheme, key.keyval)


def edit_envelope(repo: Repo, name: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change a file without signing it anew."""
    place = repo.folder / "metadata" / name
    envelope = json.loads(place.read_bytes())
    edit(envelope)
    place.write_text(json.dumps(envelope))
