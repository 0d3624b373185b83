"""A directory is served by names, and nothing outside it by any name."""

import os
from pathlib import Path

import pytest

from tuffet.errors import AbsentError, TransportError, UsageError
from tuffet.transport.local import LocalTransport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    base = tmp_path / "public"
    (base / "dir").mkdir(parents=True)
    (base / "1.a%2Fb.json").write_bytes(b"role")
    (base / "dir" / "na me").write_bytes(b"target")
    (base / "dir" / "50%").write_bytes(b"percent")
    (base / ".hidden").write_bytes(b"hidden")
    (tmp_path / "outside").write_bytes(b"outside")
    return base


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("1.a%2Fb.json", b"role"),
        ("1.a%252Fb.json", b"role"),
        ("dir/na%20me", b"target"),
        ("dir%2Fna%20me", b"target"),
        ("dir/na me", b"target"),
        ("dir/50%25", b"percent"),
        ("dir/50%", b"percent"),
    ],
)
def test_a_name_is_taken_as_it_is_or_decoded_once(folder: Path, name: str, data: bytes) -> None:
    assert b"".join(LocalTransport(folder).ask(f"{folder}/{name}")) == data


@pytest.mark.parametrize(
    "name",
    [
        "",
        "dir",
        "dir/",
        ".hidden",
        "%2Ehidden",
        "../outside",
        "..%2Foutside",
        "%2e%2e/outside",
        "%252E%252E/outside",
        "dir//na me",
        "dir/%2e%2e/1.a%2Fb.json",
        "%00",
        "%ff",
        "dir\\na me",
        "dir%5Cna me",
        "dir/na me/x",
        "link",
        "folder/outside",
        "pipe",
    ],
)
def test_everything_else_is_absent(folder: Path, name: str) -> None:
    """So are links that lead out, and what is no regular file: reading a pipe would wait for ever."""
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "folder").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe")
    with pytest.raises(AbsentError):
        next(LocalTransport(folder).ask(f"{folder}/{name}"))


def test_a_link_that_stays_inside_is_followed(folder: Path) -> None:
    (folder / "latest").symlink_to("dir/na me")
    assert b"".join(LocalTransport(folder).ask(f"{folder}/latest")) == b"target"


def test_the_base_itself_may_be_a_link(folder: Path) -> None:
    current = folder.parent / "current"
    current.symlink_to(folder)
    assert b"".join(LocalTransport(current).ask(f"{current}/1.a%2Fb.json")) == b"role"


@pytest.mark.parametrize("form", ["file://{}", "file://localhost{}", "file:{}", "FILE://{}/"])
def test_a_file_url_names_the_directory(folder: Path, form: str) -> None:
    url = form.format(folder)
    assert b"".join(LocalTransport(url).ask(f"{url.rstrip('/')}/1.a%2Fb.json")) == b"role"


@pytest.mark.parametrize("url", ["file://example.com/srv", "file://"])
def test_a_file_url_of_another_machine_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        LocalTransport(url)


def test_a_url_elsewhere_is_the_callers_mistake(folder: Path) -> None:
    with pytest.raises(UsageError):
        LocalTransport(folder).ask(f"{folder}2/a")


@pytest.mark.usefixtures("mere_mortal")
def test_a_file_that_may_not_be_read_is_no_missing_file(folder: Path) -> None:
    (folder / "secret").touch(mode=0)
    with pytest.raises(TransportError) as refused:
        next(LocalTransport(folder).ask(f"{folder}/secret"))

    assert type(refused.value) is TransportError
