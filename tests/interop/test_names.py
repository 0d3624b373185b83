"""Odd names of roles and targets mean the same to every client, whoever wrote them.

A role is asked for under its percent-encoded name, and its file bears that name; the file of a target bears the target's
own name, and a URL says it encoded. Where a client asks for something else, the tables say what comes of it.
"""

from pathlib import Path

import pytest

from tests.interop.pypi_repository import PypiRepository
from tests.interop.readers import PypiTuf, Reader, Refused, Tuffet, TufJs
from tests.interop.serving import AnyRepository, Serve
from tests.interop.test_others_read import new_repository

ROLES = [
    "a b", "ü", "u\u0308", "#", "?", "%41", "A", "+", "a/b/c", "~-_.", "\\", '"', "<>|:&=@,;$[]{}^`", "root.json", "Timestamp",
    " ", "\n", "\x7f", "\U0001f980", "%", "a%20b", "%2F", "CON", "x" * 200,
]  # fmt: skip
ONLY_VERSIONED_ROLES = [".", "..", ".hidden", "1.root"]
"""Without a version in front these are hidden files, which the server never shows, or the name of a root."""
NOT_FOR_TUFJS_ROLES = ["!", "'", "(*)", "constructor", "__proto__"]
"""tuf-js does not encode the first three as others do, and takes what every object has for a role that it has read."""

TARGETS = [
    "a b", "ü", "u\u0308", "A", "+", "a/b c/ü+", "~-_.", "!'()*", '"', "<>|:&=@,;$[]{}^`", "\U0001f980", "%", "100 %",
    "CON", "root.json", "metadata/1.root.json", "constructor", "__proto__", "deep/" * 30 + "file",
]  # fmt: skip
ONLY_HASHED_TARGETS = [".hidden", "...", "%41", "a%20b", "%2F"]
"""Without a hash in front the first two are hidden files. The others are had by tuf and tuf-js because the server looks
for a name as it stands in the URL before it decodes it; if `a b` is there too, one name would mean both."""
MEANT_AS_URL_TARGETS = ["#", "?", "a#b/c", "x?y=1", "ü%41"]
"""To tuf and tuf-js a target's name is a piece of a URL, so that a fragment, a query or an encoded letter is in it."""
DOTTED_TARGETS = ["..", "a/../b", "a/./b"]
"""tuffet finds them, and asks for none of them: what a server makes of such a URL is anybody's guess (B016, B099)."""


def roles_of(writer: str, folder: Path, names: list[str], *, consistent: bool = True) -> tuple[AnyRepository, dict[str, bytes]]:
    """Return a repository in which each role lists one target, and what is there."""
    there = {f"of/{number}": name.encode() for number, name in enumerate(names)}
    if writer == "tuffet":
        fake = new_repository(consistent_snapshot=consistent)
        for path, name in zip(there, names, strict=True):
            fake.delegate(name, paths=[path])
            fake.publish(path, there[path], name)
        return fake, there
    pypi = PypiRepository(folder, consistent_snapshot=consistent)
    for path, name in zip(there, names, strict=True):
        pypi.delegate(name, paths=[path])
        pypi.add(path, there[path], name)
    pypi.publish()
    return pypi, there


def targets_of(writer: str, folder: Path, names: list[str], *, consistent: bool = True) -> tuple[AnyRepository, dict[str, bytes]]:
    """Return a repository with these targets, and what is there."""
    there = {name: name.encode() for name in names}
    if writer == "tuffet":
        fake = new_repository(consistent_snapshot=consistent)
        for path, data in there.items():
            fake.publish(path, data)
        return fake, there
    pypi = PypiRepository(folder, consistent_snapshot=consistent)
    for path, data in there.items():
        pypi.add(path, data)
    pypi.publish()
    return pypi, there


@pytest.mark.parametrize("consistent", [False, True], ids=["plain", "consistent"])
@pytest.mark.parametrize("writer", ["tuf", "tuffet"])
def test_all_clients_find_roles_of_any_name(writer: str, consistent: bool, reader: Reader, tmp_path: Path, serve: Serve) -> None:
    names = [*ROLES, *(ONLY_VERSIONED_ROLES if consistent else ())]
    repo, there = roles_of(writer, tmp_path / "repo", names, consistent=consistent)

    assert reader.read(serve(repo), tmp_path / "cache", there) == there


@pytest.mark.parametrize("writer", ["tuf", "tuffet"])
def test_tufjs_does_not_find_roles_of_some_names(
    writer: str, tmp_path: Path, serve: Serve, tuffet: Tuffet, tuf: PypiTuf, tufjs: TufJs
) -> None:
    repo, there = roles_of(writer, tmp_path / "repo", NOT_FOR_TUFJS_ROLES)
    site = serve(repo)

    assert tuffet.read(site, tmp_path / "tuffet", there) == tuf.read(site, tmp_path / "tuf", there) == there
    assert all(isinstance(answer, Refused) for answer in tufjs.read(site, tmp_path / "tufjs", there).values())


@pytest.mark.parametrize("names", [["10", "9"], ["\U0001f980", "\uffff"]], ids=["numbers", "utf-16"])
@pytest.mark.parametrize("writer", ["tuf", "tuffet"])
def test_tufjs_orders_some_names_otherwise_and_finds_signatures_wrong(
    writer: str, names: list[str], tmp_path: Path, serve: Serve, tuffet: Tuffet, tuf: PypiTuf, tufjs: TufJs
) -> None:
    """Roles in a list whose names are numbers are sorted by it, and names in objects by UTF-16 instead of by code points."""
    repo, there = roles_of(writer, tmp_path / "repo", names)
    site = serve(repo)

    assert tuffet.read(site, tmp_path / "tuffet", there) == tuf.read(site, tmp_path / "tuf", there) == there
    with pytest.raises(Refused, match="was signed by 0/1 keys"):
        tufjs.read(site, tmp_path / "tufjs", there)


@pytest.mark.parametrize("consistent", [False, True], ids=["plain", "consistent"])
@pytest.mark.parametrize("writer", ["tuf", "tuffet"])
def test_all_clients_download_targets_of_any_name(writer: str, consistent: bool, reader: Reader, tmp_path: Path, serve: Serve) -> None:
    names = [*TARGETS, *(ONLY_HASHED_TARGETS if consistent else ())]
    repo, there = targets_of(writer, tmp_path / "repo", names, consistent=consistent)

    assert reader.read(serve(repo), tmp_path / "cache", there) == there


@pytest.mark.parametrize("writer", ["tuf", "tuffet"])
def test_tuffet_alone_downloads_what_looks_like_a_piece_of_a_url(writer: str, reader: Reader, tmp_path: Path, serve: Serve) -> None:
    repo, there = targets_of(writer, tmp_path / "repo", MEANT_AS_URL_TARGETS)
    answers = reader.read(serve(repo), tmp_path / "cache", there)

    assert answers == there if reader.name == "tuffet" else all(isinstance(answer, Refused) for answer in answers.values())


def test_a_target_whose_name_has_dot_segments_is_not_asked_for(tmp_path: Path, serve: Serve, tuffet: Tuffet, tuf: PypiTuf) -> None:
    repo, there = targets_of("tuf", tmp_path / "repo", DOTTED_TARGETS)
    site = serve(repo)

    assert tuf.read(site, tmp_path / "tuf", there) == there
    assert [getattr(answer, "kind", "") for answer in tuffet.read(site, tmp_path / "tuffet", there).values()] == ["FormatError"] * 3


@pytest.mark.parametrize("path", ["a/constructor", "toString", "__proto__", "", "/", "a b"])
def test_a_target_that_nobody_lists_is_not_found(path: str, tmp_path: Path, serve: Serve, tuffet: Tuffet, tuf: PypiTuf) -> None:
    """Nobody asks tuf-js here: it finds what every object has."""
    site = serve(new_repository())

    assert tuffet.read(site, tmp_path / "tuffet", [path]) == tuf.read(site, tmp_path / "tuf", [path]) == {path: None}


@pytest.mark.parametrize(
    ("pattern", "path", "matches", "tufjs_matches"),
    [
        ("*", "file", True, True),
        ("*", "a/file", False, False),
        ("a/*", "a/", True, False),
        ("?", "ü", True, True),
        ("[ab]", "a", True, True),
        ("[!ab]", "c", True, True),
        ("[!ab]", "a", False, False),
        ("[a", "[a", True, True),
        ("a]", "a]", True, True),
        ("*.TXT", "a.txt", False, False),
        ("a\nb", "a\nb", True, True),
        # What minimatch knows and the specification does not.
        ("*", ".hidden", True, False),
        ("**", "a/b", False, False),
        ("{a,b}", "a", False, True),
        ("+(a)", "aa", False, True),
        ("!a", "b", False, True),
        ("#a", "#a", True, False),
        ("[[:alpha:]]", "a", False, True),
        ("\\*", "\\x", True, False),
    ],
)
def test_patterns_mean_the_same(
    pattern: str, path: str, matches: bool, tufjs_matches: bool, reader: Reader, tmp_path: Path, serve: Serve
) -> None:
    repo = new_repository()
    repo.delegate("role", paths=[pattern])
    file = repo.publish("anything", b"data")
    repo.change("role", targets={path: file})

    found = reader.read(serve(repo), tmp_path / "cache", [path])[path] is not None
    assert found is (tufjs_matches if reader.name == "tuf-js" else matches)
