"""What is published is first verified by the client's own workflow.

A client that believes what is published now is played: it refreshes over the new files, so signatures, rollback,
mix-and-match and expiry are judged by the code that will judge them out there. Then it asks for every target that
changed. Nothing of a release that it refuses becomes reachable.
"""

from collections.abc import Mapping
from datetime import datetime

from tuffet.errors import MismatchError
from tuffet.metadata.targets import TargetFile
from tuffet.names import ROOT, TIMESTAMP, TOP_LEVEL
from tuffet.repository.driver import StoreDriver
from tuffet.repository.release import Release
from tuffet.repository.state import signers_of
from tuffet.storage.store import Store
from tuffet.trust.delegations import Search, Visit
from tuffet.trust.named import targets_role
from tuffet.trust.workflow import refresh


def require_believable(
    release: Release, store: Store, kept: Mapping[str, bytes], targets: Mapping[str, TargetFile | None], start: datetime
) -> None:
    """Raise what a client would raise, or MismatchError if it would not find the targets as given (None: not listed).

    `kept` is what such a client believes before, with the root to start from.
    """
    pinned = kept[ROOT]
    # What is replaced would be looked at in vain, except where going back must be noticed.
    held = {role: data for role, data in kept.items() if role in TOP_LEVEL and not (role == "targets" and role in release.roles)}
    driver = StoreDriver(store, held, release.files)
    trusted = driver.run(refresh(pinned, start, release.policy.dialect))
    version = trusted.timestamp.payload.version
    if version != release.roles[TIMESTAMP]:
        raise MismatchError(TIMESTAMP, "version", expected=release.roles[TIMESTAMP], offered=version)
    search, visits = Search(trusted), list[Visit]()
    for path, expected in targets.items():
        found = driver.run(search.find(path, visits))
        if (found.file if found else None) != expected:
            raise MismatchError(f"target {path!r}", "description", expected=expected, offered=found and found.file)
    read = {visit.role for visit in visits}
    for name in release.roles:
        if name not in TOP_LEVEL and name not in read:
            meta = trusted.snapshot.payload.meta[f"{name}.json"]
            driver.run(targets_role(signers_of(trusted, name), meta, trusted.root, start, trusted.dialect, trusted.limits))
            driver.kept.pop(name)
