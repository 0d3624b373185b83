"""Makes, signs and publishes (specification 3 and 6): one directory that one person or one timer runs."""

from tuffet.repository.key_files import KeyFactory, KeyFiles, NewKeyFiles
from tuffet.repository.policy import Policy, parse_policy
from tuffet.repository.policy_text import Choices
from tuffet.repository.publish import Published
from tuffet.repository.renew import Blocked, Renewed
from tuffet.repository.repository import Repository
from tuffet.repository.signing import Signers
from tuffet.repository.source import Addition, Progress, Source
from tuffet.repository.staging import Change
from tuffet.repository.state import State
from tuffet.repository.status import KeyStatus, RoleStatus, Status
from tuffet.repository.target_paths import walk

__all__ = [
    "Addition", "Blocked", "Change", "Choices", "KeyFactory", "KeyFiles", "KeyStatus", "NewKeyFiles", "Policy", "Progress", "Published",
    "Renewed", "Repository", "RoleStatus", "Signers", "Source", "State", "Status", "parse_policy", "walk",
]  # fmt: skip
