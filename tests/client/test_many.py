"""Many at once: processes that share a cache, threads that share a client, and a repository that goes on meanwhile."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from tests.client.conftest import MakeClient
from tests.client.worlds import over_http
from tuffet.client import Client
from tuffet.client.kept import claimed_version
from tuffet.errors import ThresholdError
from tuffet.testing import FakeRepository


def refresh_again_and_again(url: str, cache: str, root: bytes, now: datetime, seconds: float) -> None:
    """Run in another process; whatever fails there fails the test by its exit status."""
    ends = time.monotonic() + seconds
    seen = 0
    while time.monotonic() < ends:
        with Client(url, f"{url}/targets", cache_dir=cache, root=root, clock=lambda: now) as client:
            try:
                trusted = client.refresh()
            except ThresholdError as error:
                # The keys were rotated after the next root was asked for and before the timestamp was: the next refresh
                # sees both.
                assert error.role == "timestamp"  # noqa: PT017  no test catches this one
                continue
            assert trusted.timestamp.payload.version >= seen
            seen = trusted.timestamp.payload.version
            assert client.find("a/1") is not None


def test_processes_that_share_a_cache(repo: FakeRepository, tmp_path: Path) -> None:
    """Four of them, while versions advance and keys rotate: what is kept never goes back, and none of them fails."""
    repo.delegate("a", paths=["a/*"])
    repo.publish("a/1", b"one", "a")
    cache = tmp_path / "cache"
    context = multiprocessing.get_context("spawn")
    seconds = 2.5
    with over_http(repo, tmp_path / "served") as world:
        arguments = (world.metadata_url, str(cache), repo.root_bytes(), repo.clock(), seconds)
        processes = [context.Process(target=refresh_again_and_again, args=arguments) for _ in range(4)]
        for process in processes:
            process.start()
        rounds = 0
        newest: dict[str, int] = {}
        while any(process.is_alive() for process in processes):
            rounds += 1
            repo.rotate("timestamp") if rounds % 20 == 0 else repo.publish("a/1", b"%d" % rounds, "a")
            world.sync()
            for name in ("timestamp.json", "snapshot.json", "targets.json", "a.json", "root.json"):
                try:
                    data = (cache / name).read_bytes()
                except FileNotFoundError:
                    continue  # Not there yet, or forgotten with the keys that signed it.
                version = claimed_version(data)
                assert version >= newest.get(name, 1), name
                newest[name] = version
            time.sleep(0.02)
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 4
        assert rounds > 20
        assert newest["root.json"] > 1
        client = world.client(cache)
        assert client.refresh().timestamp.payload == repo.timestamp
        client.close()
    assert not list(tmp_path.rglob(".tuffet-tmp-*"))


def test_threads_that_share_a_client(repo: FakeRepository, tmp_path: Path) -> None:
    """Refreshes, searches and downloads at once, over real HTTP, while the repository goes on."""
    repo.delegate("a", paths=["a/*"])
    for number in range(8):
        repo.publish(f"a/{number}", b"%d" % number * 50_000, "a")
    with over_http(repo, tmp_path / "served") as world, world.client(tmp_path / "cache") as client:

        def visit(number: int) -> bytes:
            if number % 4 == 0:
                client.refresh()
            target = client.find(f"a/{number % 8}")
            assert target is not None
            assert len(list(client.targets())) >= 8
            return Path(client.download(target, f"{tmp_path}/{number}/")).read_bytes()

        with ThreadPoolExecutor(8) as pool:
            pending = [pool.submit(visit, number) for number in range(32)]
            for number in range(5):
                repo.publish(f"more-{number}", b"more")
                world.sync()
            assert [each.result() for each in pending] == [b"%d" % (number % 8) * 50_000 for number in range(32)]
        assert client.refresh().timestamp.payload == repo.timestamp


def test_the_same_file_for_many_threads(repo: FakeRepository, make_client: MakeClient, tmp_path: Path) -> None:
    """All write to one place; whoever looks finds it whole, and nothing is left over."""
    repo.publish("app", b"x" * 300_000)
    client = make_client()
    target = client.find("app")
    assert target is not None
    place = tmp_path / "app"
    seen: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if place.exists():
                seen.add(place.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(6) as pool:
        places = list(pool.map(lambda _: client.download(target, place), range(12)))
    done.set()
    watcher.join()
    assert set(places) == {str(place)}
    assert seen <= {300_000}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app", "cache"]
