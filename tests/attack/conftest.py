"""What the stories begin with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attack.story import Story
from tuffet.testing import FakeRepository

Begin = Callable[..., Story]


@pytest.fixture
def repo() -> FakeRepository:
    """Give a repository that publishes one target, `app.bin`."""
    made = FakeRepository()
    made.publish("app.bin", b"one")
    return made


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Give what starts a story: `begin(repo, **settings of its client)`, which has refreshed once."""

    def start(repo: FakeRepository, **settings: Any) -> Story:
        story = Story(repo, tmp_path / f"story-{len(list(tmp_path.iterdir()))}", **settings)
        story.refresh()
        return story

    return start


@pytest.fixture
def story(repo: FakeRepository, begin: Begin) -> Story:
    """Give a client that believes version 1 of the root and version 2 of all else."""
    return begin(repo)
