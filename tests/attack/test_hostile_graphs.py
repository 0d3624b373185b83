"""Delegation bombs (specification 5.6.7): the owner of a delegated role builds a graph to waste the time of everybody else.

A search asks at most so many roles and is an error beyond, never "not found"; cycles end; a role is read once however
many ways lead to it; what is listed for one path stays cheap while the rest of the graph is a bomb.
"""

from itertools import pairwise

import pytest

from tests.attack.conftest import Begin
from tests.attack.graphs import Edge, plant
from tests.repository.world import QUICK
from tuffet.errors import LimitError
from tuffet.metadata import SuccinctRoles
from tuffet.testing import FakeRepository
from tuffet.trust.steps import Limits


def numbered(count: int, name: str = "role") -> list[str]:
    return [f"{name}-{number}" for number in range(count)]


def test_ten_thousand_roles_that_all_speak_for_everything(begin: Begin, repo: FakeRepository) -> None:
    """The search gives up by the name of its limit after 256 roles, among them the top-level one (5.6.7.1)."""
    plant(repo, {"targets": [Edge(name) for name in numbered(10_000)]})
    story = begin(repo, disk=QUICK)
    asked = [f"1.{name}.json" for name in numbered(255)]
    kept = [f"{name}.json" for name in numbered(255)]
    error = story.refused(LimitError, lambda: story.client.find("some/file"[:4]), attack="endless-data", asked=asked, kept=kept)
    assert (error.limit, error.allowed) == ("visited_roles", 256)
    # What the top-level role lists itself costs no delegation at all.
    heard = len(repo.requests)
    assert story.client.find("app.bin")
    assert len(repo.requests) == heard


def test_a_chain_of_a_hundred_thousand_roles(begin: Begin, repo: FakeRepository) -> None:
    """Each delegates to the next. Nothing is recursive, so only the limit ends it; few of the files even exist."""
    names = numbered(100_000)
    graph = {"targets": [Edge(names[0])], **{name: [Edge(following)] for name, following in pairwise(names[:300])}}
    plant(repo, graph)
    story = begin(repo, disk=QUICK)
    error = story.refused(
        LimitError,
        lambda: story.client.find("file"),
        attack="endless-data",
        asked=[f"1.{name}.json" for name in names[:255]],
        kept=[f"{name}.json" for name in names[:255]],
    )
    assert error.limit == "visited_roles"


@pytest.mark.parametrize("deep", [True, False], ids=["a chain", "a list"])
def test_listing_stops_at_its_limit(begin: Begin, repo: FakeRepository, deep: bool) -> None:
    """Reading everything has a limit of its own; what was believed until then is kept."""
    names = numbered(80)
    chain = {"targets": [Edge(names[0])], **{name: [Edge(following)] for name, following in pairwise(names)}}
    plant(repo, chain if deep else {"targets": [Edge(name) for name in names]})
    story = begin(repo, limits=Limits(listed_roles=50), disk=QUICK)
    heard = len(repo.requests)
    with pytest.raises(LimitError) as refused:
        list(story.client.targets())
    assert (refused.value.limit, refused.value.allowed) == ("listed_roles", 50)
    # Those that were asked for ahead are dropped unread (docs/decisions/0005).
    assert len(repo.requests) - heard <= 50 + 8


def test_cycles_end(begin: Begin, repo: FakeRepository) -> None:
    """A role that was asked is not asked again in the same search (5.6.7.1)."""
    graph = {
        "targets": [Edge("a"), Edge("b")],
        "a": [Edge("a"), Edge("b"), Edge("c")],
        "b": [Edge("a"), Edge("b")],
        "c": [Edge("a"), Edge("c"), Edge("b")],
    }
    plant(repo, graph, {"c": ["deep"]})
    story = begin(repo, disk=QUICK)
    heard = len(repo.requests)
    assert story.client.find("nowhere") is None
    assert repo.requests[heard:] == ["1.a.json", "1.b.json", "1.c.json"]
    target = story.client.find("deep")
    assert target
    assert target.role == "c"
    assert {each.path for each in story.client.targets()} == {"app.bin", "deep"}
    assert [visit.role for visit in story.client.explain("nowhere").visits] == ["targets", "a", "b", "c"]


def layers(wide: int, deep: int) -> dict[str, list[Edge]]:
    """Return layers of roles that each delegate to all of the next layer: `wide ** deep` ways lead to the last one."""
    graph = {"targets": [Edge(f"0-{column}") for column in range(wide)]}
    for row in range(deep - 1):
        for column in range(wide):
            graph[f"{row}-{column}"] = [Edge(f"{row + 1}-{below}") for below in range(wide)]
    return graph


def test_wide_diamonds(begin: Begin, repo: FakeRepository) -> None:
    """Ten million ways through seventy roles: a search asks each role once, and so does listing."""
    plant(repo, layers(10, 7), {"6-9": ["deep"]})
    story = begin(repo, limits=Limits(listed_roles=2000), disk=QUICK)
    heard = len(repo.requests)
    assert story.client.find("nowhere") is None
    assert len(repo.requests) - heard == 70
    assert len(set(repo.requests[heard:])) == 70
    target = story.client.find("deep")
    assert target
    assert target.role == "6-9"
    assert [target.path for target in story.client.targets()] == ["app.bin", "deep"]
    assert len(repo.requests) - heard == 70


def test_a_role_is_judged_by_whoever_sent_us_there(begin: Begin, repo: FakeRepository) -> None:
    """Two delegators name one role with different keys; only the keys of the way taken count (B020, B108, B109)."""
    repo.delegate("left", paths=["left/*"])
    repo.delegate("right", paths=["right/*"])
    repo.delegate("shared", by="left", paths=["left/*"])
    honest = list(repo.signers["shared"])
    repo.delegate("shared", by="right", paths=["right/*"])
    thief = repo.signers["shared"][1:]
    for path in ("left/tool", "right/tool"):
        repo.publish(path, b"tool", role="shared")
    for signers, trusted, doubted in ((honest, "left/tool", "right/tool"), (thief, "right/tool", "left/tool")):
        repo.serve("3.shared.json", repo.sign(repo.roles["shared"], "shared", signers))
        story = begin(repo)
        found = story.client.find(trusted)
        assert found
        delegator = doubted.partition("/")[0]
        with pytest.raises(Exception, match=f"^shared needs 1 good signature by keys of {delegator}, 0 found$"):
            story.client.find(doubted)


def test_four_thousand_million_bins(begin: Begin, repo: FakeRepository) -> None:
    """A line of JSON promises them; one path costs one of them, and listing them all is refused before it begins (B090)."""
    (signer,) = repo.new_signers(1)
    plant(repo, {"targets": SuccinctRoles(keyids=(signer.keyid,), threshold=1, bit_length=32, name_prefix="bin")})
    story = begin(repo)
    error = story.refused(LimitError, lambda: list(story.client.targets()), attack="endless-data", asked=[])
    assert (error.limit, error.allowed) == ("listed_roles", 70_000)
    with pytest.raises(Exception, match=r"^bin-[0-9a-f]{8} has the wrong place in the snapshot"):
        story.client.find("tool")


def test_a_pattern_bomb(begin: Begin, repo: FakeRepository) -> None:
    """Patterns that make naive matchers try exponentially many ways cost next to nothing, and nobody can write a regex."""
    pattern = "/".join(["*a" * 30 + "b"] * 4)
    plant(repo, {"targets": [Edge(f"role-{number}", pattern, f"{'*' * 300}{number}", "(a+)+$", "a{1,9}") for number in range(300)]})
    story = begin(repo, disk=QUICK)
    for path in ("/".join(["a" * 60] * 4), "a" * 4000, "aaaa!"):
        assert story.client.find(path) is None
        assert story.client.find(path) is None
