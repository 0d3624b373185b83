"""The search for the role that speaks for a path (specification 5.6.7): order, ends, keys, limits and attacks."""

import random
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tuffet.errors import AbsentError, ExpiredError, FormatError, LimitError, MismatchError, ThresholdError, TooLargeError
from tuffet.metadata import DelegatedRole, Delegations
from tuffet.names import SNAPSHOT, TARGETS
from tuffet.testing import FakeRepository, MemoryDriver
from tuffet.trust.delegations import Found, Search, Visit
from tuffet.trust.steps import Limits
from tuffet.trust.workflow import refresh


def searching(repo: FakeRepository, kept: dict[str, bytes] | None = None, **limits: int) -> tuple[MemoryDriver, Search]:
    driver = repo.driver(kept)
    search = Search(driver.run(refresh(repo.root_bytes(), repo.clock(), repo.dialect, Limits(**limits))))
    driver.log.clear()
    return driver, search


def found(repo: FakeRepository, path: str, **limits: int) -> str | None:
    """Return the role in which a client that knows nothing finds the path."""
    driver, search = searching(repo, None, **limits)
    target = driver.run(search.find(path))
    return target.role if target else None


def test_a_target_of_the_top_level_role_is_found_without_a_request() -> None:
    """Its length and hashes are those that the role states."""
    repo = FakeRepository()
    file = repo.publish("app.bin", b"app", custom={"n": 1})
    driver, search = searching(repo)
    assert driver.run(search.find("app.bin")) == Found("app.bin", file, TARGETS)
    assert driver.run(search.find("other.bin")) is None
    assert driver.log == []


def test_the_search_is_pre_order_and_depth_first() -> None:
    """The first delegation's whole subtree comes before the second delegation (5.6.7.2), and each role is asked for once."""
    repo = FakeRepository()
    repo.delegate("a", paths=["*"])
    repo.delegate("b", paths=["*"])
    repo.delegate("a1", by="a", paths=["*"])
    repo.delegate("a2", by="a", paths=["x"])
    repo.publish("x", b"wrong", role="b")
    repo.publish("x", b"right", role="a2")
    driver, search = searching(repo)
    visits: list[Visit] = []
    target = driver.run(search.find("x", visits))
    assert target
    assert target.role == "a2"
    assert [visit.role for visit in visits] == [TARGETS, "a", "a1", "a2"]
    assert driver.requests == [f"{repo.roles[name].version}.{name}.json" for name in ("a", "a1", "a2")]
    driver.log.clear()
    driver.run(search.find("x"))
    assert driver.log == []


def test_what_a_search_tells_of_itself() -> None:
    """Who was asked, by whom, what each said, and what ended it."""
    repo = FakeRepository()
    repo.delegate("a", paths=["*.x"])
    repo.delegate("b", paths=["*"], terminating=True)
    repo.delegate("c", paths=["*"])
    repo.publish("n.x", b"", role="c")
    driver, search = searching(repo)
    visits: list[Visit] = []
    assert driver.run(search.find("n.x", visits)) is None
    version = repo.roles[TARGETS].version
    assert visits == [
        Visit(TARGETS, version, None, lists_it=False, delegates_to=("a", "b"), terminating="b"),
        Visit("a", 1, TARGETS, lists_it=False, delegates_to=()),
        Visit("b", 1, TARGETS, lists_it=False, delegates_to=()),
    ]
    visits.clear()
    assert driver.run(search.find("m", visits)) is None
    assert [visit.role for visit in visits] == [TARGETS, "b"]


def test_a_terminating_delegation_ends_the_search() -> None:
    """Found or not: nobody else is asked (5.6.7.2.1, B101)."""
    repo = FakeRepository()
    repo.delegate("first", paths=["a*"], terminating=True)
    repo.delegate("second", paths=["*"])
    repo.publish("ab", b"", role="second")
    repo.publish("b", b"", role="second")
    assert found(repo, "ab") is None
    assert found(repo, "b") == "second"


def test_a_terminating_delegation_ends_the_searches_above_it() -> None:
    """Also where it is a delegate who made it: what its delegator would ask next is not asked."""
    repo = FakeRepository()
    repo.delegate("first", paths=["*"])
    repo.delegate("second", paths=["*"])
    repo.delegate("deep", by="first", paths=["a*"], terminating=True)
    repo.publish("ab", b"", role="second")
    repo.publish("b", b"", role="second")
    assert found(repo, "ab") is None
    assert found(repo, "b") == "second"


def test_cycles_end() -> None:
    """A role that was visited is skipped (5.6.7.1)."""
    repo = FakeRepository()
    repo.delegate("a", paths=["*"])
    repo.delegate("b", by="a", paths=["*"])
    repo.delegate("a", by="b", paths=["*"])
    repo.delegate("b", by="b", paths=["*"])
    repo.publish("x", b"", role="b")
    assert found(repo, "x") == "b"
    assert found(repo, "y") is None
    driver, search = searching(repo)
    assert [target.path for target in driver.run(search.targets())] == ["x"]


def diamond() -> tuple[FakeRepository, tuple[list[str], list[str]]]:
    """Return a repository in which `a` and `b` delegate to `c` by different keys, and the ids of both."""
    repo = FakeRepository()
    repo.delegate("a", paths=["a*"])
    repo.delegate("b", paths=["b*"])
    repo.delegate("c", by="a", paths=["*"])
    repo.delegate("c", by="b", paths=["*"])
    repo.publish("ax", b"", role="c")
    repo.publish("bx", b"", role="c")
    one, two = repo.signers["c"]
    return repo, ([one.keyid], [two.keyid])


def test_a_diamond_is_verified_by_the_delegator_on_the_way() -> None:
    """The same role by two delegators with different keys: each way needs its own delegator's keys (B020, B109)."""
    repo, _ = diamond()
    name = f"{repo.roles['c'].version}.c.json"
    assert (found(repo, "ax"), found(repo, "bx")) == ("c", "c")
    for signer, good, bad in [(repo.signers["c"][0], "ax", "bx"), (repo.signers["c"][1], "bx", "ax")]:
        repo.serve(name, repo.sign(repo.roles["c"], "c", [signer]))
        assert found(repo, good) == "c"
        with pytest.raises(ThresholdError) as refused:
            found(repo, bad)
        assert refused.value.by == ("b" if bad == "bx" else "a")
        # What was believed through one delegator, and kept, is not believed through the other.
        driver, search = searching(repo)
        assert driver.run(search.find(good))
        with pytest.raises(ThresholdError):
            driver.run(search.find(bad))


def test_two_documents_under_one_name_do_not_mix() -> None:
    """A thief of the key that `a` knows for `c` shows his own `c`; what `b` delegates to `c` stays untouched (B109).

    Neither his document nor the order and patterns of his delegations may answer for a path that came through `b`.
    """
    repo, _ = diamond()
    repo.delegate("good", by="c", paths=["b*"])
    repo.delegate("other", by="c", paths=["a*"])
    repo.publish("by", b"right", role="good")
    repo.publish("by", b"wrong", role="other")
    stolen, honest = repo.steal("c")
    name, true = f"{repo.roles['c'].version}.c.json", repo.roles["c"]
    assert true.delegations
    assert true.delegations.roles
    evil = replace(true, delegations=replace(true.delegations, roles=(replace(true.delegations.roles[1], paths=("*",)),)))

    repo.serve(name, repo.sign(evil, "c", [stolen]))
    driver, search = searching(repo)
    assert driver.run(search.find("ay")) is None
    assert driver.run(search.find("az")) is None
    repo.serve(name, repo.sign(true, "c", [honest]))
    target = driver.run(search.find("by"))
    assert target
    assert target.role == "good"


def test_a_role_that_rotates_under_one_delegator_only() -> None:
    """The other delegator's word stands until it, too, names the new keys."""
    repo = FakeRepository()
    repo.delegate("a", paths=["*"])
    repo.publish("x", b"", role="a")
    driver, search = searching(repo)
    assert driver.run(search.find("x"))
    repo.rotate("a", keys=3, threshold=2)
    driver, search = searching(repo, driver.kept)
    assert driver.run(search.find("x"))
    assert driver.requests == [f"{repo.roles['a'].version}.a.json"]


# What comes is judged as the snapshot names it.


def test_a_role_that_the_snapshot_does_not_name() -> None:
    """There is no version of it to ask for, so nothing is asked for (B092)."""
    repo = FakeRepository()
    repo.delegate("a", paths=["*"])
    del repo.roles["a"]
    repo.bump(SNAPSHOT, 7)
    driver, search = searching(repo)
    with pytest.raises(MismatchError, match=r"^a has the wrong place in the snapshot: none, expected a version$"):
        driver.run(search.find("x"))
    with pytest.raises(MismatchError):
        driver.run(search.targets())
    assert driver.requests == []


def test_a_delegated_role_is_judged_like_targets() -> None:
    """Signatures, version, expiry, length and hashes, whatever its name (5.6.2 to 5.6.5, B105, B108); and not kept if bad."""
    repo = FakeRepository(hashes_in_meta=False)
    repo.delegate("a", paths=["*"])
    repo.publish("x", b"", role="a")
    name, role = f"{repo.roles['a'].version}.a.json", repo.roles["a"]
    driver, search = searching(repo)
    bad: list[tuple[bytes, type[Exception]]] = [
        (repo.sign(role, "a", repo.steal(TARGETS)), ThresholdError),
        (repo.sign(role, "a", []), ThresholdError),
        (repo.sign(replace(role, version=1), "a"), MismatchError),
        (repo.sign(replace(role, version=99), "a"), MismatchError),
        (repo.sign(replace(role, expires="2029-12-31T00:00:00Z"), "a"), ExpiredError),
        (repo.sign(repo.snapshot, SNAPSHOT, repo.steal("a")), FormatError),
        (b"{}", FormatError),
    ]
    for data, raised in bad:
        repo.serve(name, data)
        with pytest.raises(raised):
            driver.run(search.find("x"))
        with pytest.raises(raised):
            driver.run(search.targets())
        assert "a.json" not in driver.kept
    repo.withdraw(name)
    with pytest.raises(AbsentError):
        driver.run(search.find("x"))
    repo.serve(name, repo.sign(role, "a"))
    assert driver.run(search.find("x"))


def test_the_hashes_of_a_delegated_role_are_checked() -> None:
    """Signed by the right keys and still not the one that the snapshot names (B105)."""
    repo = FakeRepository(hashes_in_meta=True)
    repo.delegate("a", paths=["*"])
    repo.publish("x", b"", role="a")
    name, role = f"{repo.roles['a'].version}.a.json", repo.roles["a"]
    driver, search = searching(repo)
    repo.serve(name, repo.sign(replace(role, expires="2030-04-02T00:00:00Z"), "a"))
    with pytest.raises(MismatchError, match=r"^a has the wrong sha256"):
        driver.run(search.find("x"))
    repo.serve(name, repo.sign(role, "a") + b" ")
    with pytest.raises(TooLargeError):
        driver.run(search.find("x"))


def test_a_delegated_role_that_was_kept_is_verified_again() -> None:
    """By the keys that its delegator names now (B118, B134), and asked for again if it is not the one that is named."""
    repo = FakeRepository()
    repo.delegate("a", paths=["*"])
    repo.publish("x", b"", role="a")
    driver, search = searching(repo)
    driver.run(search.find("x"))
    kept = driver.kept
    for damaged in (b"", b"{}", repo.sign(repo.roles["a"], "a", repo.steal(TARGETS))):
        again, search = searching(repo, {**kept, "a.json": damaged})
        assert again.run(search.find("x"))
        assert again.requests == [f"{repo.roles['a'].version}.a.json"]
        assert again.kept == kept
    whole, search = searching(repo, kept)
    assert whole.run(search.find("x"))
    assert whole.requests == []


def test_a_kept_delegated_role_that_has_expired_is_not_asked_for_again() -> None:
    repo = FakeRepository(expiry_days={"root": 99, "timestamp": 99, "snapshot": 99, "targets": 99, "a": 1})
    repo.delegate("a", paths=["*"])
    driver, search = searching(repo)
    driver.run(search.find("x"))
    start = repo.clock() + timedelta(days=2)
    later = Search(driver.run(refresh(repo.root_bytes(), start)))
    driver.log.clear()
    for steps in (later.find("x"), later.targets()):
        with pytest.raises(ExpiredError, match=r"^a version 1"):
            driver.run(steps)
    assert driver.requests == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("../../timestamp", "1...%2F..%2Ftimestamp.json"),
        ("/etc/passwd", "1.%2Fetc%2Fpasswd.json"),
        ("a/b", "1.a%2Fb.json"),
        ("a%2Fb", "1.a%252Fb.json"),
        ("ünï", "1.%C3%BCn%C3%AF.json"),
        ("?x#y", "1.%3Fx%23y.json"),
        ("1.root", "1.1.root.json"),
    ],
)
def test_a_role_name_never_becomes_a_path(name: str, file: str) -> None:
    """Percent-encoded wherever it becomes a file name or a URL (B016, B017, B099, B113)."""
    repo = FakeRepository()
    repo.delegate(name, paths=["*"])
    driver, search = searching(repo)
    driver.run(search.find("x"))
    assert driver.requests == [file]
    assert set(driver.kept) == {"timestamp.json", "snapshot.json", "targets.json", file.removeprefix("1.")}


# Prefixes and bins.


def test_hash_prefixes_choose_roles() -> None:
    repo = FakeRepository()
    for digit in "0123456789abcdef":
        repo.delegate(f"bin-{digit}", path_hash_prefixes=[digit])
    repo.publish("x", b"", role="bin-2")  # sha256("x") begins with 2d
    driver, search = searching(repo)
    target = driver.run(search.find("x"))
    assert target
    assert target.role == "bin-2"
    assert len(driver.requests) == 1
    assert [each.path for each in driver.run(search.targets())] == ["x"]


def test_succinct_bins_choose_one() -> None:
    """One bin is asked for, and what stands in the wrong bin is not found (TAP 15)."""
    repo = FakeRepository()
    repo.delegate("bin", bit_length=4)
    repo.publish("x", b"", role="bin-2")
    repo.publish("y", b"", role="bin-2")  # sha256("y") begins with a1
    driver, search = searching(repo)
    visits: list[Visit] = []
    assert driver.run(search.find("x", visits))
    assert [visit.delegates_to for visit in visits] == [("bin-2",), ()]
    assert driver.requests == ["3.bin-2.json"]
    assert driver.run(search.find("y")) is None
    assert [each.path for each in driver.run(search.targets())] == ["x"]
    assert set(driver.requests) == {f"{repo.roles[f'bin-{digit}'].version}.bin-{digit}.json" for digit in "0123456789abcdef"}


# Limits.


def test_too_many_roles_for_one_path() -> None:
    """An error that names the limit, never a silent "not found"; exactly the limit is fine."""
    repo = FakeRepository()
    for number in range(4):
        repo.delegate(f"r{number}", paths=["*"])
    repo.publish("x", b"", role="r3")
    assert found(repo, "x", visited_roles=5) == "r3"
    driver, search = searching(repo, visited_roles=4)
    with pytest.raises(LimitError, match=r"^too many roles speak for 'x': the limit visited_roles is 4$") as refused:
        driver.run(search.find("x"))
    assert (refused.value.limit, refused.value.allowed) == ("visited_roles", 4)
    assert len(driver.requests) == 3


def test_too_many_roles_to_list() -> None:
    """A graph whose ways double at every step is not walked for ever."""
    repo = FakeRepository()
    repo.delegate("bin", bit_length=3)
    driver, search = searching(repo, listed_roles=9)
    assert driver.run(search.targets()) == []
    driver, search = searching(repo, listed_roles=8)
    with pytest.raises(LimitError, match="the limit listed_roles is 8"):
        driver.run(search.targets())


def test_a_role_longer_than_the_limit_is_not_asked_for() -> None:
    repo = FakeRepository(hashes_in_meta=True)
    repo.delegate("a", paths=["*"])
    for number in range(40):
        repo.publish(f"file {number}", b"", role="a")
    driver, search = searching(repo, targets_bytes=4000)
    with pytest.raises(LimitError, match=r"^a is said to have \d+ bytes: the limit targets_bytes is 4000$"):
        driver.run(search.find("x"))
    assert driver.requests == []


# Listing.


def test_listing_asks_ahead_and_judges_in_turn() -> None:
    """Several roles travel together, every one is asked for once, and a second listing asks for none."""
    repo = FakeRepository()
    repo.delegate("bin", bit_length=5)
    repo.publish("x", b"", role="bin-05")
    driver, search = searching(repo)
    assert [(each.path, each.role) for each in driver.run(search.targets())] == [("x", "bin-05")]
    assert len(driver.requests) == len(set(driver.requests)) == 32
    before_the_first_answer = driver.log[: next(index for index, line in enumerate(driver.log) if line.startswith("answer"))]
    assert len([line for line in before_the_first_answer if line.startswith("ask")]) > 3
    driver.log.clear()
    driver.run(search.targets())
    assert driver.requests == []


def test_a_listing_that_failed_can_be_made_again() -> None:
    """Requests of the failed one are forgotten, not waited for."""
    repo = FakeRepository()
    repo.delegate("bin", bit_length=3)
    name = f"{repo.roles['bin-1'].version}.bin-1.json"
    data = repo.served(name)
    assert data
    repo.withdraw(name)
    driver, search = searching(repo)
    with pytest.raises(AbsentError):
        driver.run(search.targets())
    repo.serve(name, data)
    assert driver.run(search.targets()) == []


def test_listing_uses_what_was_kept() -> None:
    repo = FakeRepository()
    repo.delegate("a", paths=["*"])
    repo.delegate("b", by="a", paths=["*"])
    repo.publish("x", b"", role="b")
    driver, search = searching(repo)
    listed = driver.run(search.targets())
    again, search = searching(repo, driver.kept)
    assert again.run(search.targets()) == listed
    assert again.requests == []


def test_an_index_answers_for_many_paths() -> None:
    """A thousand delegations, asked many times: the same answers as the first scan gives."""
    repo = FakeRepository()
    (signer,) = repo.steal(TARGETS)
    repo.signers["d"] = [signer]
    roles = tuple(
        DelegatedRole(name=f"r{number}", keyids=(signer.keyid,), threshold=1, terminating=False, paths=(f"project-{number}/*",))
        for number in range(1000)
    )
    for role in roles[::97]:
        repo.signers[role.name] = [signer]
        repo.roles[role.name] = replace(repo.roles[TARGETS], version=1)
        repo._write_targets(role.name)
        repo.publish(f"{role.name.replace('r', 'project-')}/x", b"", role=role.name)
    repo.change(TARGETS, delegations=Delegations(keys={signer.keyid: signer.key}, roles=roles))
    driver, search = searching(repo)
    numbers = list(range(0, 1000, 97))
    random.Random(3).shuffle(numbers)
    for number in numbers:
        target = driver.run(search.find(f"project-{number}/x"))
        assert target
        assert target.role == f"r{number}"


@pytest.mark.parametrize(("hashes", "what"), [(False, "version"), (True, "length")])
def test_a_mirror_that_mixes_two_states(hashes: bool, what: str) -> None:
    """Yesterday's delegated role with today's snapshot is refused (mix-and-match), with or without hashes (B102)."""
    repo = FakeRepository(hashes_in_meta=hashes)
    repo.delegate("a", paths=["*"])
    yesterday = repo.served("1.a.json")
    assert yesterday
    repo.publish("x", b"", role="a")
    repo.serve("2.a.json", yesterday)
    with pytest.raises(MismatchError, match=f"^a has the wrong {what}"):
        found(repo, "x")
