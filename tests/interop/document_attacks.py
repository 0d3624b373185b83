"""Attacks on what is said: expiry, versions, mixtures, forms, delegations, targets. `test_verdicts.py` says what comes of each."""

import json
from typing import Any

from tuf.api.metadata import TargetFile  # type: ignore[attr-defined]

from tests.interop.pypi_repository import PAST, PypiRepository
from tuffet.metadata.paths import path_digest

Repo = PypiRepository


def expired_timestamp(repo: Repo) -> None:
    repo.timestamp.expires = PAST
    repo.publish()


def expired_snapshot(repo: Repo) -> None:
    repo.snapshot.expires = PAST
    repo.publish()


def expired_targets(repo: Repo) -> None:
    repo.change("targets").expires = PAST
    repo.publish()


def expired_delegated_role(repo: Repo) -> None:
    repo.change("one").expires = PAST
    repo.publish()


def expiry_with_a_fraction_and_an_offset(repo: Repo) -> None:
    timestamp = repo.timestamp.to_dict() | {"version": 2, "expires": "2098-12-31T23:59:59.123456-06:00"}
    repo.put("metadata/timestamp.json", repo.sign_value(timestamp, repo.signers["timestamp"]))


# Versions.


def timestamp_replayed(repo: Repo) -> None:
    repo.timestamp.version -= 1
    repo.write("timestamp", repo.timestamp)


def timestamp_of_the_same_version_with_another_snapshot(repo: Repo) -> None:
    repo.timestamp.snapshot_meta = repo.meta(77, b"")
    repo.write("timestamp", repo.timestamp)


def timestamp_that_names_an_older_snapshot(repo: Repo) -> None:
    repo.timestamp.version += 1
    repo.timestamp.snapshot_meta.version -= 1
    repo.write("timestamp", repo.timestamp)


def snapshot_that_lists_an_older_role(repo: Repo) -> None:
    repo.snapshot.meta["two.json"].version -= 1
    repo.publish()


def snapshot_that_lists_a_role_no_more(repo: Repo) -> None:
    del repo.snapshot.meta["two.json"]
    repo.publish()


def snapshot_without_targets(repo: Repo) -> None:
    del repo.snapshot.meta["targets.json"]
    repo.publish()


def snapshot_that_never_listed_a_delegated_role(repo: Repo) -> None:
    repo.delegate("three", paths=["one/*"], terminating=True)
    roles = repo.roles["targets"].delegations
    assert roles
    assert roles.roles
    roles.roles = {"three": roles.roles["three"], **roles.roles}
    repo._changed.pop("three")
    repo.publish()


def snapshot_with_another_version_inside(repo: Repo) -> None:
    repo.publish()
    repo.timestamp.version += 1
    repo.timestamp.snapshot_meta.version += 1
    name = f"metadata/{repo.snapshot.version}.snapshot.json"
    repo.put(f"metadata/{repo.snapshot.version + 1}.snapshot.json", (repo.folder / name).read_bytes())
    repo.write("timestamp", repo.timestamp)


def targets_with_another_version_inside(repo: Repo) -> None:
    name = repo.folder / f"metadata/{repo.roles['targets'].version}.targets.json"
    version = repo.roles["targets"].version + 1
    repo.put(f"metadata/{version}.targets.json", name.read_bytes())
    repo.snapshot.meta["targets.json"].version = version
    repo.publish()


def recovery_from_a_fast_forward(repo: Repo) -> None:
    """What everybody believes of role two is withdrawn, under new keys of the timestamp."""
    repo.rotate("timestamp")
    snapshot_that_lists_an_older_role(repo)


# Mix-and-match.


def snapshot_other_than_the_hash_says(repo: Repo) -> None:
    repo.change("two")
    repo.publish()
    repo.timestamp.snapshot_meta.hashes = {"sha256": "0" * 64}
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp)


def snapshot_shorter_than_said(repo: Repo) -> None:
    repo.change("two")
    repo.publish()
    assert repo.timestamp.snapshot_meta.length
    repo.timestamp.snapshot_meta.length += 1
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp)


def snapshot_longer_than_said(repo: Repo) -> None:
    repo.change("two")
    repo.publish()
    assert repo.timestamp.snapshot_meta.length
    repo.timestamp.snapshot_meta.length -= 1
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp)


def delegated_role_other_than_the_hash_says(repo: Repo) -> None:
    repo.change("one")
    repo.publish()
    version = repo.roles["one"].version
    repo.roles["one"].targets["one/file"].length += 1
    repo.put(f"metadata/{version}.one.json", repo.sign(repo.roles["one"], repo.signers["one"]))


def snapshot_in_place_of_the_timestamp(repo: Repo) -> None:
    repo.put("metadata/timestamp.json", repo.sign(repo.snapshot, repo.signers["timestamp"]))


def snapshot_that_is_not_there(repo: Repo) -> None:
    repo.publish()
    (repo.folder / f"metadata/{repo.snapshot.version}.snapshot.json").unlink()


# Forms.


def text_after_the_document(repo: Repo) -> None:
    repo.publish()
    append(repo, "timestamp.json", b" {}")


def line_end_after_the_document(repo: Repo) -> None:
    repo.publish()
    append(repo, "timestamp.json", b"\r\n")


def name_twice_in_one_object(repo: Repo) -> None:
    repo.publish()
    place = repo.folder / "metadata/timestamp.json"
    place.write_bytes(place.read_bytes().replace(b'"signed":', b'"signed": {}, "signed":', 1))


def document_laid_out_and_escaped_otherwise(repo: Repo) -> None:
    repo.change("one").targets["ü"] = TargetFile.from_data("ü", b"", ["sha256"])
    repo.hashes_in_meta = False
    repo.publish()
    place = repo.folder / f"metadata/{repo.roles['one'].version}.one.json"
    signed = json.loads(place.read_bytes())
    place.write_text(json.dumps(dict(reversed(signed.items())), indent=4, ensure_ascii=True))


def unknown_fields_everywhere(repo: Repo) -> None:
    repo.timestamp.unrecognized_fields["x-more"] = {"deep": [1, {"er": None}]}
    repo.snapshot.meta["one.json"].unrecognized_fields["x-more"] = "ü"
    repo.change("targets").unrecognized_fields["x-more"] = True
    repo.root.unrecognized_fields["x-more"] = 1
    repo.publish_root()
    repo.publish()


def timestamp_that_lists_more_than_the_snapshot(repo: Repo) -> None:
    timestamp = repo.timestamp.to_dict() | {"version": 2}
    timestamp["meta"]["other.json"] = {"version": 1}
    repo.put("metadata/timestamp.json", repo.sign_value(timestamp, repo.signers["timestamp"]))


def target_with_hashes_of_unknown_kinds_only(repo: Repo) -> None:
    repo.change("one").targets["one/file"].hashes = {"sha1024": "00"}
    repo.put("targets/one/00.file", b"one")
    repo.publish()


def target_with_upper_case_hashes(repo: Repo) -> None:
    hashes = repo.change("one").targets["one/file"].hashes
    hashes["sha256"] = hashes["sha256"].upper()
    repo.put(f"targets/one/{hashes['sha256']}.file", b"one")
    repo.publish()


def delegation_to_the_role_of_the_timestamp(repo: Repo) -> None:
    delegate_raw(repo, "timestamp")


def delegation_to_a_role_without_a_name(repo: Repo) -> None:
    delegate_raw(repo, "")


def delegation_by_path_and_by_hash(repo: Repo) -> None:
    delegate_raw(repo, "more", path_hash_prefixes=["00"])


def delegation_to_one_role_twice(repo: Repo) -> None:
    delegate_raw(repo, "two")


# Delegations and targets.


def chain_of_forty_delegations(repo: Repo) -> None:
    for number in range(40):
        repo.delegate(f"link-{number}", f"link-{number - 1}" if number else "targets", paths=["far"])
    repo.add("far", b"far", "link-39")
    repo.publish()


def shorter_hash_prefix_than_the_path_has(repo: Repo) -> None:
    repo.delegate("hashed", path_hash_prefixes=[path_digest("far")])
    repo.add("far", b"far", "hashed")
    repo.publish()


def target_with_other_bytes(repo: Repo) -> None:
    put_target(repo, b"eno")


def target_with_more_bytes(repo: Repo) -> None:
    put_target(repo, b"one and more")


def target_with_fewer_bytes(repo: Repo) -> None:
    put_target(repo, b"on")


def target_that_is_not_there(repo: Repo) -> None:
    for file in (repo.folder / "targets/one").iterdir():
        file.unlink()


def append(repo: Repo, name: str, data: bytes) -> None:
    """Append bytes to a file of metadata."""
    with (repo.folder / "metadata" / name).open("ab") as file:
        file.write(data)


def put_target(repo: Repo, data: bytes) -> None:
    """Replace the bytes of `one/file` under all of its names."""
    for file in (repo.folder / "targets/one").iterdir():
        file.write_bytes(data)


def delegate_raw(repo: Repo, name: str, **more: Any) -> None:
    """Publish targets with one more delegation, which tuf itself would not write."""
    repo.publish()
    targets = repo.roles["targets"].to_dict()
    like = repo.roles["targets"].get_delegated_role("two").to_dict()
    targets["delegations"]["roles"].append(like | {"name": name} | more)
    targets["version"] += 1
    data = repo.put(f"metadata/{targets['version']}.targets.json", repo.sign_value(targets, repo.signers["targets"]))
    repo.snapshot.meta["targets.json"] = repo.meta(targets["version"], data)
    repo.publish()
