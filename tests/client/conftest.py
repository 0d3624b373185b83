"""What the client's stories share: a repository, and clients that ask it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuffet.client import Client
from tuffet.testing import FakeRepository

MakeClient = Callable[..., Client]


@pytest.fixture
def repo() -> FakeRepository:
    return FakeRepository()


@pytest.fixture
def make_client(repo: FakeRepository, tmp_path: Path) -> MakeClient:
    """Give clients of the repository that share one cache, each as fresh as one in a new process."""

    def make(**options: Any) -> Client:
        places = {"metadata_url": repo.metadata_url, "target_url": repo.target_url, "cache_dir": tmp_path / "cache"}
        settings = {"root": repo.root_bytes(), "transport": repo.transport, "clock": repo.clock}
        return Client(**{**places, **settings, **options})

    return make


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()
