"""A whole repository as it looks, from a URL or from its directory, judged by the pinned root where there is one."""

import os

from tuffet.cli.examine import RoleSeen
from tuffet.cli.home import Place, repository_url
from tuffet.cli.survey import Survey, reader
from tuffet.client.client import now
from tuffet.errors import UsageError

NOT_PINNED = "its own first root, which is not pinned"


def look_at_repository(what: str) -> tuple[list[RoleSeen], str, bool]:
    """Return the documents as they look, who judged them, and whether these are all."""
    url = repository_url(what)
    place = Place(url)
    pin = place.pin()
    if pin is not None:
        survey = Survey(reader(pin.metadata_url), now(), place.cache.pinned()).look()
        return survey.seen, f"the pinned root {pin.root_version}", survey.complete
    metadata = f"{url}metadata/" if "://" in url else _metadata_folder(url)
    own = os.path.isfile(os.path.join(what, "tuffet.toml"))
    survey = Survey(reader(metadata), now()).look()
    if not survey.seen:
        raise UsageError(f"{what} holds no root metadata: neither 1.root.json nor root.json is in {metadata}")
    return survey.seen, "its own first root" if own else NOT_PINNED, survey.complete


def _metadata_folder(directory: str) -> str:
    """Return where a directory keeps metadata: in a folder of that name, or itself."""
    for path in (os.path.join(directory, "metadata", ""), directory):
        if os.path.isdir(path) and any(name.endswith("root.json") for name in os.listdir(path)):
            return path
    raise UsageError(f"{directory} is no repository: there is no root metadata in it")
