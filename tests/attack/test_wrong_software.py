"""Wrong software (specification 1.5.2): a file that is trusted, and is not the one that the client wanted.

A path leads to one role, that role to one length and one set of hashes. No other file of the same repository, however
well signed, satisfies them.
"""

import pytest

from tests.attack.conftest import Begin
from tests.attack.story import Story, table
from tuffet.errors import MismatchError, TooLargeError, TuffetError
from tuffet.metadata import hashes_of
from tuffet.testing import FakeRepository

SWAPS: list[tuple[str, bytes, type[TuffetError], str]] = [
    # what is served in place of `wanted.bin`, its bytes, how it is refused, as which attack
    ("another trusted file of the same length", b"other", MismatchError, "arbitrary-software"),
    ("another trusted file that is shorter", b"tiny", MismatchError, "arbitrary-software"),
    ("another trusted file that is longer", b"much longer", TooLargeError, "endless-data"),
    ("an older version of the file itself", b"older", MismatchError, "arbitrary-software"),
]


@pytest.mark.parametrize(("served", "kind", "attack"), table(SWAPS))
def test_one_trusted_file_for_another(story: Story, repo: FakeRepository, served: bytes, kind: type[TuffetError], attack: str) -> None:
    """All of these are or were listed by the same role, and each is only what it is listed as (5.7.3)."""
    repo.publish("wanted.bin", b"older")
    for data in (b"other", b"tiny", b"much longer"):
        repo.publish(f"{data.decode().replace(' ', '-')}.bin", data)
    file = repo.publish("wanted.bin", b"newer")
    story.refresh()
    target = story.client.find("wanted.bin")
    assert target
    name = f"targets/{file.hashes.sha256}.wanted.bin"
    repo.serve(name, served)
    story.refused(kind, lambda: story.client.download(target, to=story.downloads), attack=attack, asked=[name])


def test_without_hashes_in_names(begin: Begin) -> None:
    """Where a new version takes the place of the old one, the name says nothing; the hash still does (6.2)."""
    repo = FakeRepository(consistent_snapshot=False)
    repo.publish("app.bin", b"one")
    story = begin(repo)
    target = story.client.find("app.bin")
    assert target
    repo.publish("app.bin", b"two")
    action = lambda: story.client.download(target, to=story.downloads)  # noqa: E731
    error = story.refused(MismatchError, action, attack="arbitrary-software", asked=["targets/app.bin"])
    assert error.offered == hashes_of(b"two").sha256
    story.refresh()
    newer = story.client.find("app.bin")
    assert newer
    story.client.download(newer, to=story.downloads)


LISTED: list[tuple[str, str, str | None]] = [
    # how the path is written, the path, whose file it is
    ("as it is listed", "dir/App.bin", "targets"),
    ("in another case", "dir/app.bin", None),
    ("with a slash before it", "/dir/App.bin", None),
    ("with two slashes", "dir//App.bin", None),
    ("with a dot segment", "dir/./App.bin", None),
    ("with a way up and down again", "dir/../dir/App.bin", None),
    ("percent-encoded", "dir%2FApp.bin", None),
    ("with a backslash", "dir\\App.bin", None),
    ("with a blank after it", "dir/App.bin ", None),
    ("with a NUL after it", "dir/App.bin\0", None),
    ("in letters that look the same", "dir/Аpp.bin", None),
    ("in full-width letters", "dir/Ａpp.bin", None),
    ("with a combining mark that composes", "dir/App\u0301.bin", None),
    ("as nothing at all", "", None),
    ("as a pattern", "dir/*", None),
]


@pytest.mark.parametrize(("path", "role"), table(LISTED))
def test_a_path_is_what_it_is(begin: Begin, repo: FakeRepository, path: str, role: str | None) -> None:
    """Nothing is folded, decoded, normalised or guessed: another spelling is another path, and nobody lists it (B017)."""
    repo.publish("dir/App.bin", b"app")
    story = begin(repo)
    heard = len(repo.requests)
    target = story.client.find(path)
    assert (target.role if target else None) == role
    assert repo.requests[heard:] == []


def test_the_first_role_that_lists_a_path_decides(begin: Begin, repo: FakeRepository) -> None:
    """Two teams list the same path; the order of the delegations says whose file it is, for `find` and `targets` alike (5.6.7, B082)."""
    for name, data in (("first", b"first's"), ("second", b"second's")):
        repo.delegate(name, paths=["tool"])
        repo.publish("tool", data, role=name)
    story = begin(repo)
    target = story.client.find("tool")
    assert target
    assert (target.role, target.length) == ("first", 7)
    assert [(each.path, each.role) for each in story.client.targets() if each.path == "tool"] == [("tool", "first")]
    # The file of the second role is served under the first one's name.
    repo.serve(f"targets/{target.hashes['sha256']}.tool", b"second's"[:7])
    asked = [f"targets/{target.hashes['sha256']}.tool"]
    story.refused(MismatchError, lambda: story.client.download(target, to=story.downloads), attack="arbitrary-software", asked=asked)


def test_a_terminating_delegation_ends_the_search(begin: Begin, repo: FakeRepository) -> None:
    """Behind it nobody is asked, whether it lists the file or not (5.6.7.2.1, B101)."""
    repo.delegate("owner", paths=["tool*"], terminating=True)
    repo.delegate("stranger", paths=["*"])
    repo.publish("tool-2", b"stranger's", role="stranger")
    repo.publish("else", b"stranger's", role="stranger")
    story = begin(repo)
    heard = len(repo.requests)
    assert story.client.find("tool-2") is None
    assert repo.requests[heard:] == ["1.owner.json"]
    target = story.client.find("else")
    assert target
    assert target.role == "stranger"
    assert "tool-2" not in {each.path for each in story.client.targets()}


def test_a_terminating_delegation_ends_the_search_for_all_above_it(begin: Begin, repo: FakeRepository) -> None:
    """It stands one level down, and still nobody else is asked: not its siblings, nor those of its delegator (5.6.7.2.1, B101)."""
    repo.delegate("first", paths=["*"])
    repo.delegate("second", paths=["*"])
    repo.delegate("owner", by="first", paths=["tool"], terminating=True)
    repo.delegate("sibling", by="first", paths=["tool"])
    for role in ("second", "sibling"):
        repo.publish("tool", b"evil", role=role)
    story = begin(repo)
    heard = len(repo.requests)
    assert story.client.find("tool") is None
    assert repo.requests[heard:] == ["3.first.json", "1.owner.json"]
    assert "tool" not in {each.path for each in story.client.targets()}


def test_a_role_speaks_within_its_delegators_bounds(begin: Begin, repo: FakeRepository) -> None:
    """`inner` may speak for everything, says `outer`, which itself may speak for `outer/*` only (4.5, B082)."""
    repo.delegate("outer", paths=["outer/*"])
    repo.delegate("inner", by="outer", paths=["*", "other/*", "outer/*"])
    for path in ("tool", "other/tool", "outer/tool"):
        repo.publish(path, b"inner's", role="inner")
    story = begin(repo)
    assert [story.client.find(path) is not None for path in ("tool", "other/tool", "outer/tool")] == [False, False, True]
    assert {each.path for each in story.client.targets()} == {"app.bin", "outer/tool"}
