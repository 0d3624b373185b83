"""A terminal, and a mirror of a small repository."""

from pathlib import Path

import pytest

from tests.cli.harness import Mirror, Terminal, fake_repository


@pytest.fixture
def tuffet(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "user")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A repository with a target of its own, one of a delegated role, and two roots."""
    repo = fake_repository()
    repo.publish("app-1.0.tar.gz", b"the application\n" * 100)
    repo.delegate("linux", paths=["linux/*"])
    repo.publish("linux/app", b"\x7fELF", role="linux", custom={"channel": "beta"})
    repo.new_root()
    return Mirror(tmp_path / "mirror", repo)
