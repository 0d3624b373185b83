"""Repositories that exist: their files, verified from the first root to the last target at a stated instant.

The samples are found through TUFFET_SAMPLES, or beside the project. Without them these tests are skipped, loudly.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tuffet.errors import AbsentError, ExpiredError, RollbackError, ThresholdError
from tuffet.metadata import TUF_JSON, Root
from tuffet.metadata.tuf_json import _parse_any
from tuffet.storage.memory import MemoryStore
from tuffet.testing import MemoryDriver
from tuffet.transport.memory import StoreTransport
from tuffet.trust.checks import first_root, next_root
from tuffet.trust.delegations import Search
from tuffet.trust.verify import all_good_keys, role_of
from tuffet.trust.workflow import Trusted, refresh

SAMPLES = Path(os.environ.get("TUFFET_SAMPLES", Path(__file__).parents[2] / "../shared/reference/samples"))
URL = "memory://sample/"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"REAL REPOSITORIES ARE NOT TESTED: set TUFFET_SAMPLES, {SAMPLES} is absent")

WHEN = {"docker-tuf": datetime(2024, 11, 6, tzinfo=UTC), "jku-tuf-demo": datetime(2026, 8, 20, tzinfo=UTC)}


def files_of(sample: str) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in sorted((SAMPLES / sample).glob("**/*.json"))}
    assert files
    return files


def driver_of(files: dict[str, bytes]) -> MemoryDriver:
    store = MemoryStore()
    for name, data in files.items():
        store.create(name, data)
    return MemoryDriver(StoreTransport(store, URL), URL)


def test_the_whole_chain_of_sigstores_roots() -> None:
    """Roots 1 to 15 in one run, with all that makes them odd (S7).

    Two key encodings, two key types, empty signatures, two sets of key ids, key ids that are no digests (X2), fractions of
    seconds and offsets (X8), a version of the specification in two parts.
    """
    files = files_of("sigstore-root-history")
    driver = driver_of(files)
    root = first_root(files["1.root.json"], TUF_JSON)
    for number in range(2, 16):
        root = next_root(files[f"{number}.root.json"], root, TUF_JSON)
        envelope = TUF_JSON.parse(files[f"{number}.root.json"], Root)
        assert len(all_good_keys(envelope, role_of(root.payload, "root"))) >= root.payload.roles["root"].threshold
    assert root.payload.version == 15

    # The sample ends with the roots, so an update ends where it asks for the timestamp, with all roots believed.
    with pytest.raises(AbsentError, match=r"timestamp\.json"):
        driver.run(refresh(files["1.root.json"], datetime(2025, 12, 1, tzinfo=UTC)))
    assert driver.kept == {f"{number}.root.json": files[f"{number}.root.json"] for number in range(2, 16)}


def test_sigstores_roots_do_not_skip() -> None:
    """Root 3 does not follow root 1 (5.3.5, B100), and nothing but its predecessor's keys makes root 5 follow root 4."""
    files = files_of("sigstore-root-history")
    root = first_root(files["1.root.json"], TUF_JSON)
    with pytest.raises((RollbackError, ThresholdError)):
        next_root(files["3.root.json"], root, TUF_JSON)


def test_what_sigstore_signed_is_what_we_would_sign() -> None:
    """Both ways of reading agree on real files, and unknown fields (`x-tuf-on-ci-…`) are signed with the rest (X6)."""
    for data in files_of("sigstore-root-history").values():
        envelope, long = TUF_JSON.parse(data, Root), _parse_any(data, Root)
        assert (envelope.signed, envelope.payload) == (long.signed, long.payload)
        assert TUF_JSON.signed_bytes(envelope.payload) == envelope.signed
        assert (b"x-tuf-on-ci" in data) == (b"x-tuf-on-ci" in envelope.signed)


def refreshed(sample: str, when: datetime | None = None) -> tuple[MemoryDriver, Trusted]:
    files = files_of(sample)
    driver = driver_of(files)
    return driver, driver.run(refresh(files["1.root.json"], when or WHEN[sample]))


@pytest.mark.parametrize("sample", WHEN)
def test_a_whole_repository(sample: str) -> None:
    """Every target of every role is found, by listing and by search, and its file in the sample has the stated hashes."""
    driver, trusted = refreshed(sample)
    search = Search(trusted)
    listed = driver.run(search.targets())
    assert listed
    for found in listed:
        assert driver.run(search.find(found.path)) == found
        folder, _, name = found.path.rpartition("/")
        file = SAMPLES / sample / "targets" / folder / f"{next(iter(found.file.hashes.known().values()))}.{name}"
        data = file.read_bytes()
        assert len(data) == found.file.length
        assert found.file.hashes.mismatch(data) is None
    on_disk = [path for path in (SAMPLES / sample / "targets").glob("**/*") if path.is_file()]
    assert len({found.path for found in listed}) == len(on_disk)


@pytest.mark.parametrize("sample", WHEN)
def test_a_whole_repository_years_later(sample: str) -> None:
    """It has expired, and that is all that is wrong with it."""
    with pytest.raises(ExpiredError):
        refreshed(sample, datetime(2040, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("sample", ["docker-tuf", "jku-tuf-demo", "sigstore-root-history"])
def test_one_changed_letter_in_a_signed_part_is_found(sample: str) -> None:
    """Whatever the file and its keys: a version that was edited by hand is signed by nobody."""
    files = files_of(sample)
    root = first_root(files["1.root.json"], TUF_JSON)
    edited = json.loads(files["1.root.json"])
    edited["signed"]["version"] += 1
    with pytest.raises(ThresholdError):
        next_root(json.dumps(edited).encode(), root, TUF_JSON)
