"""Who signs here: the signers at hand, each only for the roles that its key speaks for (B122).

Which keys those are, the published and verified root says (or targets, for bins), not the policy and not the caller.
Signers are asked for when a role has to be signed and once only, because a person may have to type a passphrase.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tuffet.errors import SigningError
from tuffet.keys.signer import Signer
from tuffet.metadata.envelope import T
from tuffet.metadata.keys import same_key
from tuffet.names import TOP_LEVEL
from tuffet.repository.policy import BINS, Policy
from tuffet.trust.verify import Role

Signers: TypeAlias = Callable[[str], Sequence[Signer]] | Mapping[str, Signer]
"""Signers by the name of their key, or what returns those for `root`, `targets`, `snapshot`, `timestamp` or `bins`."""


class Signing:
    """Signs documents of one repository with the signers that were handed in."""

    def __init__(self, policy: Policy, signers: Signers) -> None:
        self._policy, self._signers = policy, signers
        self._at_hand: dict[str, Sequence[Signer]] = {}
        self._chosen: dict[tuple[str, tuple[str, ...]], list[tuple[str, Signer]]] = {}

    def seal(self, payload: T, role: Role) -> bytes:
        """Return the file of a new document, signed by all keys of the role that are at hand; SigningError if they are too few."""
        signers = self.require(role)
        return self._policy.dialect.sign(payload, lambda signed: [(keyid, signer.sign(signed)) for keyid, signer in signers])

    def require(self, role: Role) -> list[tuple[str, Signer]]:
        """Return a threshold of signers or more with the ids of their keys; SigningError says whose are missing."""
        group = role.name if role.name in TOP_LEVEL else BINS
        chosen = self._chosen.get((group, role.keyids))
        if chosen is None:
            chosen = self._chosen[group, role.keyids] = self._choose(group, role)
        if len(chosen) < role.threshold:
            raise SigningError(self._refusal(role, {keyid for keyid, _ in chosen}))
        return chosen

    def _choose(self, group: str, role: Role) -> list[tuple[str, Signer]]:
        if group not in self._at_hand:
            self._at_hand[group] = self._find(group)
        keys = [(keyid, role.keys[keyid]) for keyid in role.keyids if keyid in role.keys]
        chosen: dict[str, Signer] = {}
        for signer in self._at_hand[group]:
            for keyid, key in keys:
                # One key counts once, whatever it is called (B023).
                if keyid not in chosen and signer not in chosen.values() and same_key(signer.key, key):
                    chosen[keyid] = signer
        return list(chosen.items())

    def _find(self, group: str) -> Sequence[Signer]:
        if callable(self._signers):
            return self._signers(group)
        return [self._signers[name] for name in self._policy.of(group).keys if name in self._signers]

    def _refusal(self, role: Role, have: set[str]) -> str:
        names = {key.keyid: name for name, key in self._policy.keys.items() if key.keyid}
        missing = ", ".join(names.get(keyid, f"{keyid[:12]}…") for keyid in role.keyids if keyid not in have)
        needed = f"{role.threshold} signature{'s' * (role.threshold != 1)}"
        return f"{role.name} needs {needed} by keys of {role.by}, {len(have)} at hand: bring {role.threshold - len(have)} of {missing}"
