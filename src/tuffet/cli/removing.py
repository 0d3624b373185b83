"""Names that shall be removed must be there: a misspelt one would be believed to be gone."""

from collections.abc import Iterable
from difflib import get_close_matches

from tuffet.cli.own_errors import NoTargetError
from tuffet.repository import Repository

_MOST_COMPARED = 20_000


def require_listed(repository: Repository, names: Iterable[str]) -> None:
    """Raise NoTargetError for a name that is neither published nor waits to be."""
    state = repository.state()
    staged = {change.path: change.file for change in repository.staged()}
    for name in names:
        listed = staged[name] is not None if name in staged else state.find(name) is not None
        if not listed:
            published = state.trusted.targets.payload.targets
            known = [*(path for path, file in staged.items() if file), *published] if len(published) <= _MOST_COMPARED else []
            raise NoTargetError(None, name, get_close_matches(name, known, n=2))
