"""Which delegations speak for a path: the scan, the index and the reference implementation say the same."""

import hashlib
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tuf.api._payload import DelegatedRole as TheirRole
from tuf.api._payload import SuccinctRoles as TheirBins

from tuffet.metadata import DelegatedRole, SuccinctRoles
from tuffet.metadata.paths import Delegates, matches, path_digest, speaks_for

PATTERNS = [
    # the sentence, the pattern, a path, whether the one matches the other
    ("a star stands for letters of one part", "targets/*.tgz", "targets/foo.tgz", True),
    ("a star stands for no letter too", "a*b", "ab", True),
    ("a star does not cross a separator (B120)", "targets/*.tgz", "targets/sub/foo.tgz", False),
    ("a star does not cross a separator at the end", "*", "a/b", False),
    ("a part for each part", "*/*", "a/b", True),
    ("two stars are one star", "a/**", "a/b/c", False),
    ("two stars in a part", "a*b*c", "aXbYc", True),
    ("a star whose ends would overlap", "ab*ba", "aba", False),
    ("a question mark stands for one letter", "foo-version-?.tgz", "foo-version-2.tgz", True),
    ("a question mark stands for no less", "foo-version-?.tgz", "foo-version-.tgz", False),
    ("a question mark is no separator", "a?b", "a/b", False),
    ("a set of letters", "[ab].txt", "a.txt", True),
    ("a set that excludes", "[!ab].txt", "a.txt", False),
    ("an unclosed bracket is a letter (B091)", "a[b", "a[b", True),
    ("an unclosed bracket is no wild card (B091)", "a[b", "ab", False),
    ("case counts on every system (B018)", "A/*.TXT", "a/b.txt", False),
    ("a backslash is a letter (B018)", "a\\*", "a\\b", True),
    ("a backslash is no separator (B018)", "a/*", "a\\b", False),
    ("a beginning is not the whole", "a/b", "a/b/c", False),
    ("an end is not the whole", "b", "a/b", False),
    ("a leading separator counts", "/a", "a", False),
    ("a trailing separator counts", "a/", "a", False),
    ("a dot is a letter like others", "*", ".hidden", True),
    ("letters of several bytes are one letter", "?", "😀", True),
    ("no normalisation", "\u00e9", "e\u0301", False),
]


def role(paths: list[str] | None = None, prefixes: list[str] | None = None, name: str = "r") -> DelegatedRole:
    if prefixes is not None:
        return DelegatedRole(name=name, keyids=("k",), threshold=1, terminating=False, path_hash_prefixes=tuple(prefixes))
    return DelegatedRole(name=name, keyids=("k",), threshold=1, terminating=False, paths=tuple(paths or ()))


def answers(pattern: str, path: str) -> set[bool]:
    """Return what each of our three ways says: the matcher, the first scan, and the index."""
    delegates = Delegates([role([pattern])])
    scan, index = (bool(delegates.speaking_for(path)) for _ in range(2))
    return {matches(path, pattern), scan, index}


@pytest.mark.parametrize(("sentence", "pattern", "path", "expected"), PATTERNS, ids=[row[0] for row in PATTERNS])
def test_patterns(sentence: str, pattern: str, path: str, expected: bool) -> None:
    """Shell patterns of one part each (4.5)."""
    assert answers(pattern, path) == {expected}


part = st.text("ab.*?[]!-\\é", max_size=5)
written = st.lists(part, min_size=1, max_size=3).map("/".join)


@given(written, written)
@example("[!]", "[!]")
@example("[", "[")
@example("a*[", "ab[")
@settings(max_examples=1500, derandomize=True, deadline=None)
def test_any_pattern_means_what_it_means_to_the_reference_implementation(pattern: str, path: str) -> None:
    """The separator MUST NOT be matched by a wild card (4.5); all else is fnmatch with case, on every system."""
    theirs = TheirRole._is_target_in_pathpattern(path, pattern)
    assert answers(pattern or "x", path) == ({theirs} if pattern else {path == "x"})


def near(pattern: str, chance: random.Random) -> str:
    """Return a path that the pattern is likely to match, so that agreement is not only about refusals."""
    filled = pattern.replace("*", chance.choice(["", "b", "é.a"])).replace("?", chance.choice(["a", "", "."]))
    return filled.replace("[", chance.choice(["", "["])).replace("]", chance.choice(["", "]"]))


@given(written, st.integers(0, 1000))
@settings(max_examples=500, derandomize=True, deadline=None)
def test_a_pattern_and_a_path_that_is_nearly_its_own(pattern: str, seed: int) -> None:
    path = near(pattern, random.Random(seed))
    if pattern:
        assert answers(pattern, path) == {TheirRole._is_target_in_pathpattern(path, pattern)}


delegations = st.lists(
    st.one_of(
        st.lists(written.filter(bool), max_size=3).map(role),
        st.lists(st.text("0123456789abcdef", min_size=1, max_size=3), max_size=3).map(lambda prefixes: role(prefixes=prefixes)),
    ),
    max_size=6,
)


@given(delegations, st.lists(written, min_size=1, max_size=6))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_the_index_answers_like_a_scan(roles: list[DelegatedRole], paths: list[str]) -> None:
    """In order of appearance, as the search demands (5.6.7.2), each role once, however many of its patterns match."""
    delegates = Delegates(roles)
    for path in [paths[0], *paths]:
        assert delegates.speaking_for(path) == [each for each in roles if speaks_for(each, path, path_digest(path))]


@given(st.text(min_size=1, max_size=9), st.lists(st.text("0123456789abcdef", min_size=1, max_size=3), max_size=4))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_hash_prefixes_go_by_the_sha256_of_the_path(path: str, prefixes: list[str]) -> None:
    """`path_hash_prefixes` are prefixes of the SHA-256 of the path as hex (4.5); the empty list covers nothing."""
    prefixes = [*prefixes, hashlib.sha256(path.encode()).hexdigest()[:2]] if len(prefixes) % 2 else prefixes
    theirs = TheirRole("r", [], 1, terminating=False, path_hash_prefixes=prefixes)
    assert speaks_for(role(prefixes=prefixes), path, path_digest(path)) == theirs.is_delegated_path(path)


def test_a_prefix_may_be_the_whole_digest() -> None:
    digest = path_digest("app.bin")
    delegates = Delegates([role(prefixes=[digest]), role(["*.bin"]), role(prefixes=[digest[:63] + "g".replace("g", "0")])])
    for _ in range(2):
        assert delegates.speaking_for("app.bin")[0].path_hash_prefixes == (digest,)


@given(st.integers(1, 32), st.text(min_size=1, max_size=20))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_bins_are_chosen_as_the_reference_implementation_does(bits: int, path: str) -> None:
    """The first bits of the path's SHA-256 MUST name the bin (TAP 15), its number padded to the longest one's length."""
    ours = SuccinctRoles(keyids=("k",), threshold=1, bit_length=bits, name_prefix="bin")
    theirs = TheirBins([], 1, bits, "bin")
    assert ours.bin_name(ours.bin_of(path)) == theirs.get_role_for_target(path)
    assert ours.count == theirs.number_of_bins


@pytest.mark.parametrize("bits", [1, 3, 4, 5, 8, 9])
def test_bins_have_the_reference_implementations_names(bits: int) -> None:
    ours = SuccinctRoles(keyids=("k",), threshold=1, bit_length=bits, name_prefix="bin")
    assert list(ours.names()) == list(TheirBins([], 1, bits, "bin").get_roles())
