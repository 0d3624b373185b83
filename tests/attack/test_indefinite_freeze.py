"""Indefinite freeze (specification 1.5.2): a mirror serves the same good documents for ever.

Nothing stops it from doing so; but the client knows. Everything expires, the shortest-lived document every few hours,
and expired is expired whoever serves it, from the very instant that the document states.
"""

from datetime import datetime, timedelta

import pytest

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, table
from tuffet.errors import ExpiredError
from tuffet.metadata.expiry import encode_time
from tuffet.testing import START, FakeClock, FakeRepository

LONG = {"root": 1000, "targets": 1000, "snapshot": 1000, "timestamp": 1000, "team": 1000}

FROZEN: list[tuple[str, str, tuple[str, ...]]] = [
    # what has expired, its role, what is asked for by a client that has it already
    ("the root expires, and nobody shows a newer one", "root", UP_TO_TIMESTAMP),
    ("the timestamp expires", "timestamp", UP_TO_TIMESTAMP),
    ("the snapshot expires", "snapshot", UP_TO_TIMESTAMP),
    ("the targets expire", "targets", UP_TO_TIMESTAMP),
    ("a delegated role expires", "team", ()),
]


def clock_of(repo: FakeRepository) -> FakeClock:
    assert isinstance(repo.clock, FakeClock)
    return repo.clock


def frozen(role: str) -> FakeRepository:
    repo = FakeRepository(expiry_days={**LONG, role: 10})
    repo.delegate("team", paths=["team/*"])
    repo.publish("team/tool", b"tool", role="team")
    return repo


@pytest.mark.parametrize(("role", "asked"), table(FROZEN))
def test_a_client_that_is_kept_from_news(begin: Begin, role: str, asked: tuple[str, ...]) -> None:
    """A second before its expiry a document is good, at the very instant it is not (5.3.10, 5.4.4, 5.5.6, 5.6.5, B019)."""
    repo = frozen(role)
    expires = START + timedelta(days=10)
    story = begin(repo)
    assert story.client.find("team/tool")

    clock_of(repo).set(expires - timedelta(seconds=1))
    story.refresh()
    assert story.client.find("team/tool")

    clock_of(repo).set(expires)
    if role == "team":
        story.refresh()
    action = (lambda: story.client.find("team/tool")) if role == "team" else story.client.refresh
    error = story.refused(ExpiredError, action, attack="freeze", asked=asked)
    version = {"root": 1, "team": 2}.get(role, 3 if role in {"timestamp", "snapshot"} else 2)
    assert (error.role, error.version, error.expired, error.start) == (role, version, encode_time(expires), encode_time(expires))

    # The owner renews, and a client that was frozen goes on (B103: it kept nothing that holds it back).
    repo.renew(role)
    story.recovers()
    assert story.client.find("team/tool")


@pytest.mark.parametrize(("role", "asked"), table(FROZEN))
def test_a_newcomer_is_shown_what_has_expired(begin: Begin, role: str, asked: tuple[str, ...]) -> None:
    """Nothing expired is ever kept, also by a client that has never seen anything else (B103, B105)."""
    repo = frozen(role)
    story = begin(repo)
    clock_of(repo).advance(timedelta(days=10))
    newcomer = Story(repo, story.folder / "newcomer")
    everything = (*UP_TO_TIMESTAMP, "3.snapshot.json", "2.targets.json", "2.team.json")
    judged = {"root": 2, "timestamp": 2, "snapshot": 3, "targets": 4, "team": 5}[role]
    kept = [*("timestamp.json", "snapshot.json", "targets.json")[: max(0, judged - 2)], *(["root.json"] if role == "team" else [])]
    error = newcomer.refused(ExpiredError, lambda: newcomer.client.find("team/tool"), attack="freeze", asked=everything[:judged], kept=kept)
    assert error.role == role


def test_the_same_version_again_is_no_attack(story: Story, repo: FakeRepository) -> None:
    """An equal timestamp ends the update without an error, and what is held stays (5.4.3.1)."""
    before = story.client.cache.contents()
    heard = len(repo.requests)
    for _ in range(3):
        story.refresh()
    assert story.client.cache.contents() == before
    assert repo.requests[heard:] == [*UP_TO_TIMESTAMP] * 3


def test_the_same_version_with_a_later_expiry_buys_no_time(story: Story, repo: FakeRepository) -> None:
    """A thief of the timestamp key who extends version 2 without raising it is not even looked at (5.4.3.1)."""
    thief = repo.fork()
    thief.bump("timestamp", 2, expires="2099-01-01T00:00:00Z")
    repo.replay(thief)
    story.refresh()
    assert story.client.trusted.timestamp.payload == repo.timestamp
    clock_of(repo).advance(timedelta(days=1))
    story.refused(ExpiredError, story.client.refresh, attack="freeze", asked=UP_TO_TIMESTAMP)


def test_an_expired_root_that_leads_to_a_fresh_one(story: Story, repo: FakeRepository) -> None:
    """Its expiry counts only at the end of the chain, so a machine that slept for years comes back (5.3.6, B042, B110)."""
    for _ in range(3):
        clock_of(repo).advance(timedelta(days=400))
        repo.new_root()
    repo.renew("targets", "snapshot", "timestamp")
    assert story.recovers().root.payload.version == 4


def test_an_expired_root_at_the_end_of_the_chain(story: Story, repo: FakeRepository) -> None:
    """The intermediate root is believed and kept; the last one being expired ends the update (5.3.10, B008, B042)."""
    repo.new_root()
    clock_of(repo).advance(timedelta(days=400))
    repo.renew("targets", "snapshot", "timestamp")
    windows = [f"{version}.root.json" for version in range(3, 7)]
    kept = ["root.json", "roots/2.root.json"]
    asked = [*UP_TO_TIMESTAMP, *windows, "3.snapshot.json"]
    error = story.refused(ExpiredError, story.client.refresh, attack="freeze", asked=asked, kept=kept)
    assert (error.role, error.version) == ("root", 2)


def test_time_stands_still_during_an_update(begin: Begin, repo: FakeRepository) -> None:
    """One update looks at the clock once, however long it takes (5.1, B107)."""
    looks = []

    def clock() -> datetime:
        looks.append(1)
        return START + (len(looks) - 1) * timedelta(days=100)

    repo.delegate("team", paths=["team/*"])
    story = begin(repo, clock=clock)
    assert story.client.find("team/tool") is None
    assert len(looks) == 1


def test_a_clock_that_was_set_back(story: Story, repo: FakeRepository) -> None:
    """The client cannot see that time is wrong, but versions never go back with it (5.4.3)."""
    repo.publish("app.bin", b"two")
    story.refresh()
    clock_of(repo).set(datetime(2001, 1, 1, tzinfo=START.tzinfo))
    assert story.refresh().timestamp.payload.version == 3
