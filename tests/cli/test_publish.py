"""The publishing side, from nothing to a verified download, and what can go wrong on the way."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Ran, Terminal

PASSPHRASE: dict[str, Any] = {"TUFFET_PASSPHRASE": "correct horse"}


@pytest.fixture
def repository(tuffet: Terminal) -> Path:
    """A repository in the current directory's `releases`, with unencrypted keys."""
    assert tuffet("init", "releases", "--no-passphrase").status == 0
    return tuffet.here / "releases"


@pytest.fixture
def app(tuffet: Terminal) -> Path:
    file = tuffet.here / "app-1.0.tar.gz"
    file.write_bytes(b"the application\n" * 100)
    return file


def serving(tuffet: Terminal, repository: Path) -> tuple["subprocess.Popen[bytes]", dict[str, str]]:
    server = tuffet.start("serve", "-C", repository, "--port", "0", "--json")
    assert server.stdout is not None
    ready: dict[str, str] = json.loads(server.stdout.readline())
    return server, ready


def test_four_commands_lead_from_nothing_to_a_verified_download(tuffet: Terminal, app: Path, tmp_path: Path) -> None:
    made = tuffet.process("init", "releases", **PASSPHRASE)
    assert (made.status, made.err) == (0, "")
    published = tuffet.process("publish", app, "-C", "releases", **PASSPHRASE)
    assert (published.status, published.err) == (0, "")
    server = tuffet.start("serve", "-C", "releases", "--port", "0")
    try:
        assert server.stdout is not None
        assert b"serving at http://127.0.0.1:" in server.stdout.readline()
        typed = server.stdout.readline().decode().split()
        assert typed[:2] == ["tuffet", "get"]
        elsewhere = Terminal(tmp_path / "elsewhere")
        got = elsewhere.process(*typed[1:])
        assert (got.status, got.err) == (0, "")
        assert (elsewhere.here / app.name).read_bytes() == app.read_bytes()
    finally:
        server.terminate()
        assert server.wait(20) == 0
        server.communicate()


@pytest.mark.parametrize("options", [(), ("--bins", "4"), ("--envelope",), ("--scheme", "ecdsa-sha2-nistp256")], ids=str)
def test_every_kind_of_repository_can_be_published_and_believed(tuffet: Terminal, app: Path, options: tuple[str, ...]) -> None:
    assert tuffet("init", "releases", "--no-passphrase", *options).status == 0
    ran = tuffet("publish", app, "-C", "releases", "--prefix", "linux/", "--custom", '{"channel": "beta"}', "--json")
    assert ran.status == 0
    assert [added["path"] for added in ran.json["added"]] == ["linux/app-1.0.tar.gz"]
    digest = tuffet("status", "-C", "releases", "--json").json["root_sha256"]
    envelope = ["--envelope"] if "--envelope" in options else []
    typed = ["get", "releases", "linux/app-1.0.tar.gz", "--to", "first/", "--sha256", digest]
    assert tuffet(*typed, *envelope).status == 0
    assert tuffet("trust", "releases/public", "--sha256", digest, *envelope, "--json").json["changed"] is False
    (target,) = tuffet("list", "releases/public", "--json").json["targets"]
    assert (target["path"], target["custom"]) == ("linux/app-1.0.tar.gz", {"channel": "beta"})
    assert tuffet("get", "releases/public", "linux/app-1.0.tar.gz").status == 0
    shown = tuffet("show", "releases", "--json").json
    assert all(role["verified"] and not role["problem"] for role in shown["roles"])


def test_add_remove_and_publish_are_told_by_status(tuffet: Terminal, repository: Path, app: Path) -> None:
    assert tuffet("add", app, "-C", repository, "--json").json["added"][0]["path"] == app.name
    assert tuffet("status", "-C", repository, "--json").json["pending"] == {"add": [app.name], "remove": []}
    assert tuffet("publish", "-C", repository, "--json").json["published"] is True
    assert tuffet("publish", "-C", repository, "--json").json["published"] is False
    assert tuffet("status", "-C", repository, "--targets", "--json").json["published"] == [{"path": app.name, "length": 1600}]
    ran = tuffet("remove", app.name, "-C", repository, "--json")
    assert ran.json == {"removed": [app.name]}
    assert tuffet("status", "-C", repository, "--json").json["pending"] == {"add": [], "remove": [app.name]}
    published = tuffet("publish", "-C", repository, "--json").json
    assert published["removed"] == [app.name]
    assert published["roles"]["timestamp"] == 3
    status = tuffet("status", "-C", repository, "--json").json
    assert status["targets"] == 0
    assert {role["role"] for role in status["roles"]} == {"root", "timestamp", "snapshot", "targets"}
    assert all(role["days_left"] > 0 for role in status["roles"])
    text = tuffet("status", "-C", repository).out
    assert "timestamp" in text
    assert status["root_sha256"] in text


def test_removing_what_is_not_there_is_status_7(tuffet: Terminal, repository: Path, app: Path) -> None:
    assert tuffet("publish", app, "-C", repository).status == 0
    ran = tuffet("remove", "app-1.0.tar", "-C", repository)
    assert ran.status == 7
    assert "did you mean 'app-1.0.tar.gz'?" in ran.err


def test_renew_signs_what_expires_soon_or_what_it_is_forced_to(tuffet: Terminal, repository: Path) -> None:
    assert tuffet("renew", "-C", repository, "--json").json == {"renewed": {}, "blocked": []}
    renewed = tuffet("renew", "-C", repository, "--force", "--json").json["renewed"]
    assert renewed["timestamp"] == 2


def test_a_directory_is_added_by_the_paths_below_it(tuffet: Terminal, repository: Path) -> None:
    dist = tuffet.here / "dist"
    (dist / "sub").mkdir(parents=True)
    for name in ("a.txt", "sub/größe.txt", ".hidden"):
        (dist / name).write_bytes(name.encode())
    ran = tuffet("publish", "dist/", "-C", repository, "--prefix", "v1/", "--json")
    assert [added["path"] for added in ran.json["added"]] == ["v1/a.txt", "v1/sub/größe.txt"]


@pytest.mark.parametrize(
    "name",
    ["../up", "/etc/passwd", "a//b", "a/./b", "nul\0byte", "two\nlines", "x" * 300, "c:\\x", "\x1b[31m", ""],
    ids=lambda name: repr(name)[:16],
)
def test_names_that_no_client_would_write_are_mistakes_in_usage(tuffet: Terminal, repository: Path, app: Path, name: str) -> None:
    ran = tuffet("add", app, "--as", name, "-C", repository)
    assert ran.status == 2, ran
    assert all(line.isprintable() for line in ran.err.splitlines())
    assert tuffet("status", "-C", repository, "--json").json["pending"]["add"] == []


@pytest.mark.parametrize("name", ["größe-数-🐍.txt", "with space", "percent%2e", "q?x#y", "-dash", "x" * 100, "'quotes\""])
def test_odd_names_arrive_as_they_are(tuffet: Terminal, repository: Path, app: Path, name: str) -> None:
    assert tuffet("publish", app, f"--as={name}", "-C", repository).status == 0
    server, ready = serving(tuffet, repository)
    try:
        ran = tuffet("get", ready["url"], "--sha256", ready["root_sha256"], "--", name)
        assert ran.status == 0, ran
        assert (tuffet.here / name).read_bytes() == app.read_bytes()
    finally:
        server.terminate()
        server.communicate(timeout=20)


def test_mistakes_in_usage_are_status_2(tuffet: Terminal, repository: Path, app: Path) -> None:
    (tuffet.here / "more").write_bytes(b"")
    (tuffet.here / "dir" / "more").parent.mkdir()
    (tuffet.here / "dir" / "more").write_bytes(b"")
    for wrong in (
        ("add", "absent", "-C", repository),
        ("add", "-C", repository),
        ("add", app, "more", "--as", "one", "-C", repository),
        ("add", "dir", "--as", "one", "-C", repository),
        ("add", "more", "dir", "-C", repository),
        ("add", app, "--custom", "{", "-C", repository),
        ("add", app, "--custom", "[]", "-C", repository),
        ("add", app, "--custom", '{"a": 1.5}', "-C", repository),
        ("publish", "--as", "name", "-C", repository),
        ("init", "other", "--bins", "3", "--no-passphrase"),
        ("init", "other", "--scheme", "rot13", "--no-passphrase"),
        ("init", "other", "--no-passphrase", "--passphrase-fd", "0"),
        ("status", "-C", "absent"),
        ("status",),
        ("serve", "-C", repository, "--port", "99999"),
        ("serve", "-C", repository, "--host", "not.a.host.invalid"),
    ):
        ran = tuffet(*wrong)
        assert ran.status == 2, (wrong, ran)
        assert ran.err.startswith("error: "), wrong
        assert "hint: " in ran.err, wrong
    assert not (tuffet.here / "other").exists()


def test_a_repository_is_found_upward_by_name_or_by_the_environment(tuffet: Terminal, repository: Path) -> None:
    inside = repository / "public" / "metadata"
    for variables, arguments in (
        ({"TUFFET_REPO": str(repository)}, ()),
        ({}, ("-C", "releases")),
        ({"TUFFET_REPO": "absent"}, ("-C", "releases")),
    ):
        assert tuffet("status", *arguments, **variables).status == 0
    tuffet.here = inside
    assert tuffet("status").status == 0
    tuffet.here = repository.parent
    ran = tuffet("status")
    assert ran.status == 2
    assert "tuffet init DIR" in ran.err


def test_init_touches_nothing_that_is_there(tuffet: Terminal, repository: Path) -> None:
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    assert tuffet("init", "releases", "--no-passphrase").status == 2
    (tuffet.here / "file").write_bytes(b"mine")
    assert tuffet("init", "file", "--no-passphrase").status in {2, 5}
    (tuffet.here / "full").mkdir()
    (tuffet.here / "full" / "mine").write_bytes(b"mine")
    assert tuffet("init", "full", "--no-passphrase").status in {2, 5}
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("mere_mortal")
def test_a_directory_that_cannot_be_written_is_status_5(tuffet: Terminal) -> None:
    (tuffet.here / "shut").mkdir(mode=0o500)
    ran = tuffet("init", "shut/releases", "--no-passphrase")
    assert ran.status == 5
    assert "permission is denied" in ran.err


def test_damage_is_reported_by_name(tuffet: Terminal, repository: Path, app: Path) -> None:
    timestamp = repository / "public" / "metadata" / "timestamp.json"
    good = timestamp.read_bytes()
    timestamp.write_bytes(good[:-20])
    assert tuffet("publish", app, "-C", repository).status == 3
    timestamp.unlink()
    assert tuffet("publish", app, "-C", repository).status == 5
    timestamp.write_bytes(good)
    assert tuffet("publish", "-C", repository, "--json").json["published"] is True
    (repository / "tuffet.toml").write_text("nonsense")
    assert tuffet("status", "-C", repository).status == 2


def test_two_publishers_at_once_both_succeed(tuffet: Terminal, repository: Path) -> None:
    files = [tuffet.here / f"file-{number}" for number in range(3)]
    for file in files:
        file.write_bytes(file.name.encode())
    started = [tuffet.start("publish", file, "-C", repository) for file in files]
    for process in started:
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
    digest = tuffet("status", "-C", repository, "--json").json["root_sha256"]
    assert tuffet("trust", repository / "public", "--sha256", digest).status == 0
    listed = tuffet("list", repository / "public", "--json").json["targets"]
    assert [target["path"] for target in listed] == [file.name for file in files]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no descriptors down")
def test_a_passphrase_comes_from_a_descriptor(tuffet: Terminal, app: Path) -> None:
    assert tuffet.process("init", "releases", "--passphrase-fd", "0", input=b"correct horse\n").status == 0
    assert _given(tuffet, b"correct horse\n", "publish", app).status == 0
    for line, said in ((b"wrong\n", "passphrase is wrong"), (b"\n", "is empty"), (b"", "is empty")):
        ran = _given(tuffet, line, "renew", "--force")
        assert ran.status == 6
        assert said in ran.err
    assert tuffet("renew", "--force", "-C", "releases", "--passphrase-fd", "77").status == 6


def _given(tuffet: Terminal, line: bytes, *command: object) -> Ran:
    reading, writing = os.pipe()
    try:
        os.write(writing, line)
        os.close(writing)
        return tuffet(*command, "-C", "releases", "--passphrase-fd", reading)
    finally:
        os.close(reading)


def test_a_missing_passphrase_is_status_6_and_is_not_waited_for(tuffet: Terminal, app: Path) -> None:
    refused = tuffet.process("init", "releases")
    assert (refused.status, refused.out) == (6, "")
    assert refused.err.splitlines()[0] == "error: the new keys need a passphrase, and nobody gave one"
    assert all(cure in refused.err for cure in ("TUFFET_PASSPHRASE,", "--passphrase-fd N", "--no-passphrase"))
    assert "is empty: give one that is not" in tuffet("init", "releases", TUFFET_PASSPHRASE=" ").err
    assert not (tuffet.here / "releases").exists()
    assert tuffet("init", "releases", **PASSPHRASE).status == 0
    # Nothing is asked for before something has to be signed.
    assert tuffet("add", app, "-C", "releases").status == 0
    assert tuffet("status", "-C", "releases").status == 0
    ran = tuffet("publish", "-C", "releases", "--json")
    assert (ran.status, ran.error["kind"]) == (6, "SigningError")
    assert "--passphrase-fd N" in ran.error["hints"][0]
    assert tuffet("publish", "-C", "releases", TUFFET_PASSPHRASE="wrong").status == 6
    assert tuffet("publish", "-C", "releases", "--json", **PASSPHRASE).json["published"] is True


def test_a_lost_key_is_status_6(tuffet: Terminal, repository: Path, app: Path) -> None:
    next((repository / "keys").glob("timestamp*")).unlink()
    ran = tuffet("publish", app, "-C", repository)
    assert ran.status == 6
    assert "timestamp" in ran.err
