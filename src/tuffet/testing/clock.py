"""A clock that stands still until it is told otherwise."""

from datetime import datetime, timedelta


class FakeClock:
    """Called, it returns the instant that it was set to: aware, as every clock here."""

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        """Return the time, which nothing but `set` and `advance` changes."""
        return self._now

    def set(self, now: datetime) -> None:
        """Make this the time; it may lie in the past, as on machines whose clock is wrong."""
        if now.tzinfo is None:
            raise ValueError("a clock shows aware instants")
        self._now = now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by
