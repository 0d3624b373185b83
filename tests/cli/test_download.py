"""The download side: what is pinned, what is got, and what is said of a repository that misbehaves."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.harness import Mirror, Terminal, fake_repository

APP = b"the application\n" * 100


def test_a_digest_is_all_that_a_first_download_needs(tuffet: Terminal, mirror: Mirror) -> None:
    ran = tuffet("get", mirror, "app-1.0.tar.gz", "--sha256", mirror.root_sha256)
    assert (ran.status, ran.err) == (0, "")
    assert "pinned root version 1" in ran.out
    assert (tuffet.here / "app-1.0.tar.gz").read_bytes() == APP
    assert tuffet("get", mirror, "linux/app").status == 0
    assert (tuffet.here / "linux" / "app").read_bytes() == b"\x7fELF"


def test_without_a_pin_nothing_is_fetched(tuffet: Terminal, mirror: Mirror) -> None:
    for command in (("get", mirror, "app-1.0.tar.gz"), ("list", mirror), ("explain", mirror, "app-1.0.tar.gz")):
        ran = tuffet(*command)
        assert ran.status == 2
        assert "no root is pinned" in ran.err
        assert "hint: ask the publisher for the digest" in ran.err
    assert not tuffet.home.exists()


def test_a_wrong_digest_pins_nothing(tuffet: Terminal, mirror: Mirror) -> None:
    for command in (("trust", mirror), ("get", mirror, "app-1.0.tar.gz")):
        ran = tuffet(*command, "--sha256", "0" * 64)
        assert ran.status == 3
        assert "this is what an arbitrary software attack looks like" in ran.err
        assert not tuffet.home.exists()


@pytest.mark.parametrize("digest", ["", "0", "g" * 64, "md5:" + "0" * 64])
def test_what_is_no_digest_is_a_mistake_in_usage(tuffet: Terminal, mirror: Mirror, digest: str) -> None:
    assert tuffet("trust", mirror, "--sha256", digest).status == 2


def test_a_root_is_pinned_by_file_by_digest_or_on_first_use_but_by_one_of_them(tuffet: Terminal, mirror: Mirror) -> None:
    root = mirror.directory / "metadata" / "1.root.json"
    for wrong in ((), ("--root", root, "--on-first-use"), ("--root", root, "--sha256", mirror.root_sha256)):
        ran = tuffet("trust", mirror, *wrong)
        assert ran.status == 2
        assert "exactly one" in ran.err
    ran = tuffet("trust", mirror, "--on-first-use", "--json")
    assert ran.json["changed"] is True
    assert "nobody vouched" in ran.err
    for right in (("--root", root), ("--sha256", f" sha256:{mirror.root_sha256.upper()} "), ("--on-first-use",)):
        ran = tuffet("trust", mirror, *right, "--json")
        assert (ran.json["changed"], ran.json["root_sha256"]) == (False, mirror.root_sha256)


def test_another_root_is_pinned_only_by_name(tuffet: Terminal, mirror: Mirror) -> None:
    """A server that changes hands offers a new root 1; the user must say that the old one is to go."""
    assert tuffet("get", mirror, "app-1.0.tar.gz", "--sha256", mirror.root_sha256).status == 0
    shutil.rmtree(mirror.directory)
    other = Mirror(mirror.directory, fake_repository())
    for command in (("trust", mirror), ("get", mirror, "app-1.0.tar.gz")):
        ran = tuffet(*command, "--sha256", other.root_sha256)
        assert ran.status == 3
        assert "has another root pinned" in ran.err
        assert "--replace" in ran.err
    assert tuffet("list", mirror).status == 3
    assert tuffet("trust", mirror, "--sha256", other.root_sha256, "--replace").status == 0
    assert "there are no targets" in tuffet("list", mirror).out


def test_a_later_root_of_the_believed_chain_changes_nothing(tuffet: Terminal, mirror: Mirror) -> None:
    assert tuffet("get", mirror, "app-1.0.tar.gz", "--sha256", mirror.root_sha256).status == 0
    ran = tuffet("trust", mirror, "--root", mirror.directory / "metadata" / "2.root.json", "--json")
    assert (ran.status, ran.json["changed"]) == (0, False)


def test_metadata_and_targets_may_be_elsewhere(tuffet: Terminal, mirror: Mirror, tmp_path: Path) -> None:
    (mirror.directory / "metadata").rename(tmp_path / "m")
    (mirror.directory / "targets").rename(tmp_path / "t")
    places = ("--metadata-url", tmp_path / "m", "--target-url", tmp_path / "t")
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 4
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256, *places).status == 0
    assert tuffet("get", mirror, "app-1.0.tar.gz").status == 0


def test_an_absent_target_is_status_7_with_a_guess(tuffet: Terminal, mirror: Mirror) -> None:
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    ran = tuffet("get", mirror, "app-1.0.tar.gz", "ap-1.0.tar.gz")
    assert ran.status == 7
    assert "did you mean 'app-1.0.tar.gz'?" in ran.err
    assert not any(tuffet.here.iterdir()), "nothing is downloaded before all names are known"
    error = tuffet("get", mirror, "ap-1.0.tar.gz", "--json").error
    assert (error["kind"], error["status"], error["path"]) == ("NoTargetError", 7, "ap-1.0.tar.gz")


@pytest.mark.parametrize(
    "name",
    ["../app", "/etc/passwd", "nul\0byte", "two\nlines", "x" * 300, "größe-数-🐍", "", "-", "\udcff"],
    ids=lambda name: repr(name)[:20],
)
def test_hostile_names_are_no_targets(tuffet: Terminal, mirror: Mirror, name: str) -> None:
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    ran = tuffet("get", mirror, "--", name)
    assert ran.status in {2, 7}
    assert ran.err.startswith("error: ")
    assert all(line.isprintable() for line in ran.err.splitlines())


def test_names_in_metadata_cannot_drive_the_terminal_or_leave_the_directory(tuffet: Terminal, tmp_path: Path) -> None:
    repo = fake_repository()
    file = repo.publish("app", b"app")
    hostile = ["../outside", "/absolute", "\x1b[2J\x9b31m", "two\nlines", "gnp\u202eexe.", "a/../../b", "x" * 300, "c:\\windows"]
    repo.change("targets", targets=dict.fromkeys(hostile, file))
    mirror = Mirror(tmp_path / "mirror", repo)
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    listed = tuffet("list", mirror)
    assert len(listed.out.splitlines()) == len(hostile)
    assert all(line.isprintable() for line in listed.out.splitlines())
    assert tuffet("list", mirror, "--json").out.isascii()
    for name in hostile:
        ran = tuffet("get", mirror, "--to", "out/", "--", name)
        # What only looks bad may be a file; here it is none, because nobody uploaded it.
        assert ran.status == (4 if "gnp" in name else 3), name
        assert "cannot be a file below a directory" in ran.err or "gnp" in name
        assert all(line.isprintable() for line in ran.err.splitlines())
    assert {path.name for path in tmp_path.iterdir()} == {"user", "mirror"}
    assert not any(path.is_file() for path in tuffet.here.rglob("*"))


def _replayed(mirror: Mirror, look: Callable[[], object]) -> None:
    yesterday = mirror.repo.served("timestamp.json")
    mirror.repo.publish("app-2", b"two")
    mirror.take()
    look()
    mirror.serve("metadata/timestamp.json", yesterday or b"")


def _frozen(mirror: Mirror, look: Callable[[], object]) -> None:
    mirror.repo.clock = lambda: datetime.now(UTC) - timedelta(days=400)
    mirror.repo.renew("timestamp")
    mirror.take()


def _unsigned(mirror: Mirror, look: Callable[[], object]) -> None:
    mirror.serve("metadata/timestamp.json", mirror.repo.sign(mirror.repo.timestamp, "timestamp", mirror.repo.new_signers(1)))


def _garbage(mirror: Mirror, look: Callable[[], object]) -> None:
    mirror.serve("metadata/timestamp.json", b"<html>welcome</html>")


def _endless(mirror: Mirror, look: Callable[[], object]) -> None:
    mirror.serve("metadata/timestamp.json", b" " * 100_000)


def _other_bytes(mirror: Mirror, look: Callable[[], object]) -> None:
    for path in (mirror.directory / "targets").rglob("*"):
        if path.is_file():
            path.write_bytes(b"?" * path.stat().st_size)


@pytest.mark.parametrize(
    ("attack", "status", "kind", "said"),
    [
        (_replayed, 3, "RollbackError", "a rollback attack"),
        (_frozen, 3, "ExpiredError", "an indefinite freeze attack"),
        (_unsigned, 3, "ThresholdError", "an arbitrary software attack"),
        (_garbage, 3, "FormatError", None),
        (_endless, 4, "TooLargeError", "an endless data attack"),
        (_other_bytes, 3, "MismatchError", "an arbitrary software attack"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_attack_is_refused_by_name_and_nothing_is_kept(
    tuffet: Terminal, mirror: Mirror, attack: Callable[[Mirror, Callable[[], object]], None], status: int, kind: str, said: str | None
) -> None:
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    attack(mirror, lambda: tuffet("list", mirror))
    ran = tuffet("get", mirror, "app-1.0.tar.gz")
    assert (ran.status, ran.out) == (status, "")
    assert "hint: " in ran.err
    assert (f"this is what {said} looks like" in ran.err) if said else ("attack looks like" not in ran.err)
    assert not any(tuffet.here.iterdir())
    error = tuffet("get", mirror, "app-1.0.tar.gz", "--json").error
    assert (error["kind"], error["status"], bool(error["attack"])) == (kind, status, bool(said))
    assert error["hints"]


def test_old_metadata_is_read_as_of_a_stated_instant_with_a_warning(tuffet: Terminal, mirror: Mirror) -> None:
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    _frozen(mirror, list)
    then = (datetime.now(UTC) - timedelta(days=400)).strftime("%Y-%m-%d")
    for command in (("get", mirror, "app-1.0.tar.gz"), ("list", mirror), ("explain", mirror, "app-1.0.tar.gz")):
        assert tuffet(*command).status == 3
        ran = tuffet(*command, "--at", then)
        assert ran.status == 0
        assert ran.err.startswith(f"warning: expiry is judged as of {then}T00:00:00Z")
    assert tuffet("list", mirror, "--at", "yesterday").status == 2
    assert '{"warning": ' in tuffet("list", mirror, "--at", then, "--json").err


def test_list_and_explain_tell_what_there_is_and_why(tuffet: Terminal, mirror: Mirror) -> None:
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    assert [target["path"] for target in tuffet("list", mirror, "--json").json["targets"]] == ["app-1.0.tar.gz", "linux/app"]
    (target,) = tuffet("list", mirror, "l*", "--json").json["targets"]
    assert (target["role"], target["custom"], target["length"]) == ("linux", {"channel": "beta"}, 4)
    assert tuffet("list", mirror, "*.zip", "--quiet").out == ""
    assert "delegates its path to linux" in tuffet("explain", mirror, "linux/app").out
    ran = tuffet("explain", mirror, "linux/none", "--json")
    assert (ran.status, ran.json["found"], [visit["role"] for visit in ran.json["visits"]]) == (0, False, ["targets", "linux"])


def test_quiet_prints_nothing_where_all_is_well(tuffet: Terminal, mirror: Mirror) -> None:
    assert tuffet("get", mirror, "app-1.0.tar.gz", "--sha256", mirror.root_sha256, "-q") == (0, "", "")
    ran = tuffet("get", mirror, "linux/app", "app-1.0.tar.gz", "--to", "there", "--json")
    assert [file["path"] for file in ran.json["files"]] == ["linux/app", "app-1.0.tar.gz"]
    assert (tuffet.here / "there" / "linux" / "app").exists()


@pytest.mark.parametrize("url", ["nowhere", "ftp://example.com/", "http://user@example.com/", "http://example.com/?q=1", "http://"])
def test_what_is_no_url_is_a_mistake_in_usage(tuffet: Terminal, url: str) -> None:
    ran = tuffet("trust", url, "--on-first-use")
    assert ran.status == 2
    assert ran.err.startswith("error: ")


def test_a_server_that_is_not_there_is_status_4(tuffet: Terminal) -> None:
    ran = tuffet("trust", "http://127.0.0.1:9", "--on-first-use")
    assert ran.status == 4
    assert "hint: check the URL, the network" in ran.err


@pytest.mark.usefixtures("mere_mortal")
def test_a_home_that_cannot_be_written_is_status_5(tuffet: Terminal, mirror: Mirror) -> None:
    tuffet.home.mkdir(mode=0o500)
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 5


def test_a_file_in_the_way_of_the_home_or_the_download_is_status_5(tuffet: Terminal, mirror: Mirror) -> None:
    (tuffet.here / "file").write_bytes(b"")
    assert tuffet("trust", mirror, "--on-first-use", TUFFET_HOME=str(tuffet.here / "file")).status == 5
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    ran = tuffet("get", mirror, "app-1.0.tar.gz", "--to", "file/")
    assert ran.status == 5
    assert "hint: " in ran.err


def test_a_damaged_pin_is_reported_and_not_replaced(tuffet: Terminal, mirror: Mirror) -> None:
    assert tuffet("trust", mirror, "--sha256", mirror.root_sha256).status == 0
    (pin,) = tuffet.home.rglob("pin.json")
    pin.write_text("{")
    assert tuffet("get", mirror, "app-1.0.tar.gz", "--sha256", mirror.root_sha256).status == 5
    assert pin.read_text() == "{"
