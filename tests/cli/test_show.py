"""What `tuffet show` makes of documents, directories and URLs, good ones and bad ones; it shows and never believes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Mirror, Terminal, fake_repository
from tuffet.metadata.dsse import DSSE


def by_role(shown: Any) -> dict[str, Any]:
    return {role["role"]: role for role in shown["roles"]}


def test_a_repository_is_shown_from_its_root_to_its_delegations(tuffet: Terminal, mirror: Mirror) -> None:
    ran = tuffet("show", mirror, "--json")
    assert ran.status == 0
    assert "what it says of itself" in ran.err
    roles = by_role(ran.json)
    assert list(roles) == ["root", "timestamp", "snapshot", "targets", "linux"]
    assert all(role["verified"] and role["problem"] is None for role in roles.values())
    assert (roles["root"]["version"], roles["root"]["by"]) == (2, "root 1 and itself")
    assert [key["signature"] for key in roles["targets"]["keys"]] == ["good"]
    (delegation,) = roles["targets"]["delegations"]
    assert (delegation["role"], delegation["paths"]) == ("linux", ["linux/*"])
    assert not tuffet.home.exists(), "nothing is kept"
    text = tuffet("show", mirror).out
    assert "└ linux: linux/* (1 of 1 key)" in text


def test_a_pinned_root_judges(tuffet: Terminal, mirror: Mirror) -> None:
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    ran = tuffet("show", mirror, "--json")
    assert (ran.json["basis"], ran.err) == ("the pinned root 1", "")


@pytest.mark.parametrize("dialect", ["tuf-json", "dsse"])
def test_a_document_finds_its_delegator_beside_it(tuffet: Terminal, tmp_path: Path, dialect: str) -> None:
    repo = fake_repository(dialect=DSSE) if dialect == "dsse" else fake_repository()
    repo.delegate("odd/name", paths=["*"])
    mirror = Mirror(tmp_path / "mirror", repo)
    folder = mirror.directory / "metadata"
    for file, role, by in (
        ("1.root.json", "root", "itself"),
        ("timestamp.json", "timestamp", "1.root.json"),
        ("2.targets.json", "targets", "1.root.json"),
        ("1.odd%2Fname.json", "odd/name", "2.targets.json"),
    ):
        (shown,) = tuffet("show", folder / file, "--json").json["roles"]
        assert (shown["role"], shown["by"], shown["verified"]) == (role, by, True), file


def test_a_document_alone_is_shown_unjudged_until_its_delegator_is_named(tuffet: Terminal, mirror: Mirror) -> None:
    folder = mirror.directory / "metadata"
    alone = tuffet.here / "linux.json"
    alone.write_bytes((folder / "2.linux.json").read_bytes())
    (shown,) = tuffet("show", alone, "--json").json["roles"]
    assert (shown["verified"], shown["keys"][0]["signature"]) == (None, "unknown")
    (shown,) = tuffet("show", alone, "--by", folder / "3.targets.json", "--json").json["roles"]
    assert shown["verified"] is True
    assert tuffet("show", alone, "--by", folder / "1.root.json").status == 2
    assert tuffet("show", mirror, "--by", folder / "1.root.json").status == 2


def test_what_is_wrong_is_shown_and_not_refused(tuffet: Terminal, mirror: Mirror) -> None:
    repo = mirror.repo
    mirror.serve("metadata/timestamp.json", repo.sign(repo.timestamp, "timestamp", repo.new_signers(1)))
    mirror.serve("metadata/2.linux.json", b"{}")
    ran = tuffet("show", mirror, "--json")
    roles = by_role(ran.json)
    assert ran.status == 0
    assert roles["timestamp"]["verified"] is False
    assert roles["timestamp"]["keys"][0]["signature"] == "absent"
    assert roles["linux"]["problem"]
    assert roles["snapshot"]["verified"] is True
    assert "NOT enough" in tuffet("show", mirror).out


def test_an_expired_document_is_shown_as_expired(tuffet: Terminal, mirror: Mirror) -> None:
    mirror.repo.clock = lambda: datetime.now(UTC) - timedelta(days=400)
    mirror.repo.renew("timestamp")
    mirror.take()
    role = by_role(tuffet("show", mirror, "--json").json)["timestamp"]
    assert (role["problem"], role["verified"], role["days_left"] < 0) == ("expired", True, True)


def test_a_tampered_signature_is_bad(tuffet: Terminal, mirror: Mirror) -> None:
    path = mirror.directory / "metadata" / "1.root.json"
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":9'))
    (shown,) = tuffet("show", path, "--json").json["roles"]
    assert (shown["verified"], shown["keys"][0]["signature"], shown["version"]) == (False, "bad", 9)


def test_bins_are_shown_as_one(tuffet: Terminal, tmp_path: Path) -> None:
    repo = fake_repository()
    repo.delegate("bins", bit_length=5)
    mirror = Mirror(tmp_path / "mirror", repo)
    shown = tuffet("show", mirror, "--json").json
    assert by_role(shown)["targets"]["delegations"][0]["role"] == "bins-00 to bins-1f"
    assert shown["complete"] is False
    assert by_role(shown)["bins-0f"]["verified"] is True


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"signed":{"_type":"toot"},"signatures":[]}', b'{"payloadType":"x","payload":"?"}']
)
def test_what_is_no_metadata_is_refused_with_its_name(tuffet: Terminal, data: bytes) -> None:
    (tuffet.here / "file.json").write_bytes(data)
    ran = tuffet("show", "file.json")
    assert ran.status == 3
    assert "file.json" in ran.err


def test_a_directory_without_metadata_and_an_absent_name_are_mistakes_in_usage(tuffet: Terminal) -> None:
    assert tuffet("show", ".").status == 2
    assert tuffet("show", "absent.json").status == 2
