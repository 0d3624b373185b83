"""The machine stops at every single step of every command, by kill -9 or by losing power.

What is served is whole after each death, the old state or the new one; and the next run succeeds and ends where the
dead one wanted to be.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.repository.world import KEYS, QUICK, START, DyingDisk, Make, QuickDisk, deaths, make, served, versions
from tuffet.errors import StorageError
from tuffet.repository import Repository
from tuffet.testing.clock import FakeClock

power = pytest.mark.parametrize("power", [False, True], ids=["kill", "power"])

OLD = {"old.txt": b"old"}
NEW = {"new.txt": b"new", "more/new.txt": b"more"}


def opened(place: Path, now: datetime = START) -> Repository:
    """Open a repository on a disk that lives."""
    return Repository.open(place, clock=FakeClock(now), disk=QUICK)


def change(repository: Repository) -> None:
    """Stage what the stories publish."""
    repository.add("new.txt", b"new")
    repository.add("more/new.txt", b"more")
    repository.remove("old.txt")


@power
def test_publish_dies_at_every_step(again: Make, *, power: bool) -> None:
    """Staged changes wait until they are seen (B129), and what a dead run left behind is in nobody's way."""
    change(again())

    def story(disk: DyingDisk) -> None:
        repository = Repository.open(place, clock=FakeClock(START), disk=disk)
        repository.publish(KEYS)

    place = again().directory
    change(opened(place))
    died = seen_new = 0
    for _ in deaths(story, power=power):
        died += 1
        now = served(place, START)
        assert now in (OLD, NEW)
        seen_new += now == NEW
        opened(place).publish(KEYS)
        assert served(place, START) == NEW
        assert opened(place).staged() == ()
        change(again())
    assert died > 40
    assert seen_new > 0
    assert served(place, START) == NEW


@power
def test_add_dies_at_every_step(again: Make, *, power: bool) -> None:
    """A file is staged whole or not at all; what is published is not touched."""
    place = again().directory
    for _ in deaths(lambda disk: Repository.open(place, disk=disk).add("new.txt", b"new" * 1000), power=power):
        repository = opened(place)
        staged = repository.staged()
        assert [change.path for change in staged] in ([], ["new.txt"])
        for waiting in staged:
            with repository.staging.open(waiting) as file:
                assert file.read() == b"new" * 1000
        assert served(place, START) == OLD
        repository.add("new.txt", b"new")
        repository.publish(KEYS)
        assert served(place, START) == {**OLD, "new.txt": b"new"}
        again()


@power
def test_what_add_returned_from_is_staged_for_good(again: Make, *, power: bool) -> None:
    disk = DyingDisk(power=power)
    repository = again(disk=disk)
    repository.add("new.txt", b"new")
    repository.remove("old.txt")
    disk.crash()
    repository = opened(repository.directory)
    repository.publish(KEYS)
    assert served(repository.directory, START) == {"new.txt": b"new"}


@power
def test_what_publish_returned_from_is_published_for_good(again: Make, *, power: bool) -> None:
    disk = DyingDisk(power=power)
    repository = again(disk=disk)
    change(repository)
    repository.publish(KEYS)
    disk.crash()
    assert served(repository.directory, START) == NEW


@power
def test_renew_dies_at_every_step(again: Make, *, power: bool) -> None:
    """Also where all of it has expired, root included, and each root is published by the mere existence of its file."""
    later = START + timedelta(days=400)
    place = again().directory
    died = 0
    for _ in deaths(lambda disk: Repository.open(place, clock=FakeClock(later), disk=disk).renew(KEYS), power=power):
        died += 1
        assert served(place, START) == OLD, "whoever has the old time sees the same files before and after"
        repository = opened(place, later)
        repository.renew(KEYS)
        assert versions(repository)["root"] == 2, "no second root is made for the one that was published"
        assert served(place, later) == OLD
        again()
    assert died > 30
    assert served(place, later) == OLD


@power
@pytest.mark.parametrize("exists", [False, True], ids=["new", "empty"])
def test_init_dies_at_every_step(tmp_path: Path, clock: FakeClock, *, exists: bool, power: bool) -> None:
    """There is a whole repository or none; the next run makes it, and takes away what is old of the dead one."""
    site, place = tmp_path / "site", tmp_path / "site/releases"
    if exists:
        place.mkdir(parents=True)
    died = 0
    for number in deaths(lambda disk: make(place, clock, disk), power=power):
        died += 1
        if not place.exists() or not list(place.iterdir()):
            for left in site.glob(".tuffet-new-*") if site.exists() else ():
                os.utime(left, (0, 0))
            make(place, clock)
        assert served(place, START) == {}
        assert [path.name for path in site.iterdir()] == ["releases"]
        site.rename(tmp_path / f"dead-{number}")
        if exists:
            place.mkdir(parents=True)
    assert died > 60
    assert served(place, START) == {}
    assert [path.name for path in site.iterdir()] == ["releases"]


class FullDisk(QuickDisk):
    """A disk that takes so many bytes and no more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        if len(data) > self.room:
            raise OSError(28, "No space left on device")
        self.room -= len(data)
        super().write(descriptor, data)


def test_the_disk_is_full(again: Make, tmp_path: Path, clock: FakeClock) -> None:
    """Whatever there is no room for is refused by name of the cause, nothing is lost, and with room it goes on."""
    problem = "not tried"
    for room in range(0, 6000, 40):
        repository = again(disk=FullDisk(room))
        change(opened(repository.directory))
        problem = ""
        try:
            repository.publish(KEYS)
        except StorageError as error:
            problem = str(error)
        # Where only the note of what is published found no room, it is published all the same.
        assert served(repository.directory, START) == (OLD if problem and "last-timestamp" not in problem else NEW)
        assert list(repository.public.rglob(".tuffet-tmp-*")) == []
        opened(repository.directory).publish(KEYS)
        assert served(repository.directory, START) == NEW
        with pytest.raises(StorageError, match="the disk is full"):
            again(disk=FullDisk(room)).add("large", b"x" * 6001)
        with pytest.raises(StorageError, match="the disk is full"):
            make(tmp_path / "none", clock, FullDisk(room))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["releases"]
        if not problem:
            break
        assert "the disk is full" in problem
    assert not problem
