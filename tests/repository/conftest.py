"""What the tests of the repository share."""

import shutil
from pathlib import Path

import pytest

from tests.repository.world import KEYS, QUICK, START, Make, make
from tuffet.repository import Choices, Repository
from tuffet.storage.disk import Disk
from tuffet.testing.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def repository(tmp_path: Path, clock: FakeClock) -> Repository:
    """A repository without bins, just made."""
    return make(tmp_path / "releases", clock)


@pytest.fixture
def binned(tmp_path: Path, clock: FakeClock) -> Repository:
    """A repository of sixteen bins, just made."""
    return make(tmp_path / "binned", clock, choices=Choices(bins=16))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one published target and one that waits, to be copied."""
    directory = tmp_path_factory.mktemp("template") / "releases"
    clock = FakeClock(START)
    repository = make(directory, clock, choices=Choices(bins=2))
    repository.add("old.txt", b"old")
    repository.publish(KEYS)
    return directory


@pytest.fixture
def again(template: Path, tmp_path: Path, clock: FakeClock) -> Make:
    """Put a fresh copy of the template in place and open it: `again(disk=…)`."""

    def copy(disk: Disk = QUICK) -> Repository:
        place = tmp_path / "releases"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(template, place)
        return Repository.open(place, clock=clock, disk=disk)

    return copy
