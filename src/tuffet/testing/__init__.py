"""The public test kit: a fake repository, a clock and a driver; contracts that every implementation keeps; machines that stop at will."""

from tuffet.testing.clock import FakeClock
from tuffet.testing.driver import Killed, MemoryDriver, drive
from tuffet.testing.repository import START, FakeRepository

__all__ = ["START", "FakeClock", "FakeRepository", "Killed", "MemoryDriver", "drive"]
