"""The client's verbs, over a transport in memory and over real HTTP: the same story either way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.worlds import World, in_memory, over_http
from tuffet.client import Client, Speed, Target
from tuffet.errors import LimitError, TransportError, UsageError
from tuffet.testing import FakeRepository
from tuffet.trust.steps import Limits


@pytest.fixture(params=[in_memory, over_http])
def world(request: pytest.FixtureRequest, repo: FakeRepository, tmp_path: Path) -> Iterator[World]:
    with request.param(repo, tmp_path / "served") as world:
        yield world


def test_a_first_refresh_asks_for_four_files(world: World, tmp_path: Path) -> None:
    """Nothing is asked for before the first call that needs it; then one file of each role (5.2 to 5.6)."""
    with world.client(tmp_path / "cache") as client:
        assert (world.requests, (tmp_path / "cache").exists()) == ([], False)
        trusted = client.refresh()
    assert (trusted.root.payload, trusted.targets.payload) == (world.repo.root, world.repo.roles["targets"])
    assert sorted(world.requests) == ["1.snapshot.json", "1.targets.json", "2.root.json", "timestamp.json"]
    names = ["root.json", "snapshot.json", "targets.json", "timestamp.json"]
    assert sorted(client.cache.contents()) == names
    assert client.cache.contents()["timestamp.json"] == world.repo.served("timestamp.json")


def test_a_second_refresh_asks_only_what_may_have_changed(world: World, tmp_path: Path) -> None:
    """What the cache holds, and the timestamp still names, is not asked for again, not even by another process."""
    with world.client(tmp_path / "cache") as client:
        client.refresh()
    world.requests.clear()
    with world.client(tmp_path / "cache") as client:
        client.refresh()
    assert sorted(world.requests) == ["2.root.json", "timestamp.json"]


def test_a_target_is_found_through_its_delegations_and_downloaded(world: World, tmp_path: Path) -> None:
    """Role names and paths with odd letters travel percent-encoded; `find`, `targets` and `explain` agree."""
    repo = world.repo
    repo.delegate("projects/ä ?#", paths=["src/*/*"])
    repo.delegate("deeper", by="projects/ä ?#", paths=["src/*/*.gz"])
    repo.publish("src/ö #1/a?b.gz", b"found", "deeper", custom={"stage": ["stable", 2]})
    world.sync()
    with world.client(tmp_path / "cache") as client:
        target = client.find("src/ö #1/a?b.gz")
        assert target is not None
        assert (target.role, target.length, target.custom) == ("deeper", 5, {"stage": ["stable", 2]})
        assert list(client.targets()) == [target]
        explained = client.explain(target.path)
        assert explained.target == target
        assert [visit.role for visit in explained.visits] == ["targets", "projects/ä ?#", "deeper"]
        assert len(explained.sentences()) == 3
        place = client.download(target, tmp_path / "file")
        assert Path(place).read_bytes() == b"found"
        assert Path(client.download(target, f"{tmp_path}/new/")) == tmp_path / "new" / "src" / "ö #1" / "a?b.gz"
    assert "2.deeper.json" in world.requests
    assert "2.projects%2F%C3%A4%20%3F%23.json" in world.requests


def test_what_is_not_there_is_none(world: World, tmp_path: Path) -> None:
    """And `explain` says who was asked."""
    world.repo.delegate("a", paths=["x"], terminating=True)
    world.repo.delegate("b", paths=["x"])
    world.sync()
    with world.client(tmp_path / "cache") as client:
        assert client.find("x") is None
        assert [visit.role for visit in client.explain("x").visits] == ["targets", "a"]
        assert "hands the search to a for good" in client.explain("x").sentences()[0]
        assert client.explain("y").target is None


def test_a_limit_is_an_error_and_no_absence(repo: FakeRepository, client: Client, tmp_path: Path) -> None:
    """A search that may not go on must not say that there is nothing."""
    for name in "abc":
        repo.delegate(name, paths=["x"])
    limited = Client(
        repo.metadata_url, cache_dir=tmp_path / "c", root=repo.root_bytes(), transport=repo.transport, clock=repo.clock,
        limits=Limits(visited_roles=3),
    )  # fmt: skip
    with pytest.raises(LimitError, match="visited_roles"):
        limited.find("x")
    assert client.find("x") is None


def test_a_path_that_is_no_text(client: Client) -> None:
    """It came from a command line in another encoding; no document can hold it."""
    with pytest.raises(UsageError, match="UTF-8"):
        client.find("\udcff")


def test_without_a_target_url_nothing_is_downloaded(repo: FakeRepository, tmp_path: Path) -> None:
    repo.publish("a", b"a")
    client = Client(repo.metadata_url, cache_dir=tmp_path, root=repo.root_bytes(), transport=repo.transport, clock=repo.clock)
    target = client.find("a")
    assert target is not None
    with pytest.raises(UsageError, match="no target_url"):
        client.download(target, tmp_path / "file")


def test_a_target_without_hashes_is_refused(client: Client, tmp_path: Path) -> None:
    """An application may make its own; without a digest nothing could tell right bytes from wrong ones (B087)."""
    with pytest.raises(UsageError, match="no hashes"):
        client.download(Target("a", 1, {}, {}, "targets"), tmp_path / "file")


def test_a_client_without_a_root_uses_the_pinned_one(world: World, tmp_path: Path) -> None:
    """Pinned once, used by whoever comes later; where nothing was pinned, nothing is asked for."""
    with world.client(tmp_path / "cache", root=None) as client:
        with pytest.raises(UsageError, match="no pinned root"):
            client.refresh()
        assert world.requests == []
        client.cache.pin(world.repo.root_bytes())
        assert client.refresh().root.payload == world.repo.root


def test_a_closed_client_may_be_used_again(world: World, tmp_path: Path) -> None:
    client = world.client(tmp_path / "cache")
    client.refresh()
    client.close()
    client.refresh()
    client.close()


def test_a_repository_that_is_away(tmp_path: Path, repo: FakeRepository) -> None:
    """A refresh that fails is an error however good the cache is; what was believed stays believed (B058)."""
    with over_http(repo, tmp_path / "served") as world:
        client = world.client(tmp_path / "cache", speed=Speed(tries=1))
        before = client.refresh()
        kept = client.cache.contents()
    with pytest.raises(TransportError):
        client.refresh()
    assert (client.trusted, client.cache.contents()) == (before, kept)
    with pytest.raises(TransportError):
        world.client(tmp_path / "cache", speed=Speed(tries=1)).find("a")
    client.close()
