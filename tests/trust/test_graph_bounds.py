"""What a delegation graph may cost: no more than the limits say, however much its few bytes promise."""

from itertools import pairwise

import pytest

from tuffet.errors import LimitError
from tuffet.metadata import Delegations, SuccinctRoles
from tuffet.testing import FakeRepository
from tuffet.trust.delegations import Search
from tuffet.trust.steps import Limits
from tuffet.trust.workflow import refresh


@pytest.mark.parametrize("bits", [17, 32])
def test_bins_beyond_the_limit_are_never_counted_out(bits: int) -> None:
    """Two to the power of 32 bins fit into a line of JSON, and into no memory; `find` asks one of them only."""
    repo = FakeRepository()
    (signer,) = repo.new_signers(1)
    bins = SuccinctRoles(keyids=(signer.keyid,), threshold=1, bit_length=bits, name_prefix="bin")
    repo.change("targets", delegations=Delegations(keys={signer.keyid: signer.key}, succinct_roles=bins))
    driver = repo.driver()
    trusted = driver.run(refresh(repo.root_bytes(), repo.clock()))
    with pytest.raises(LimitError) as refused:
        driver.run(Search(trusted).targets())
    assert (refused.value.limit, refused.value.allowed) == ("listed_roles", 70_000)


def test_a_role_is_read_once_however_many_ways_lead_to_it() -> None:
    """Layers that all delegate to each other have exponentially many ways, and each file is asked for once."""
    repo = FakeRepository()
    layers = [["a0", "a1", "a2"], ["b0", "b1", "b2"], ["c0", "c1", "c2"], ["d"]]
    for name in layers[0]:
        repo.delegate(name, paths=["*"])
    for upper, lower in pairwise(layers):
        for name in lower:
            repo.delegate(name, by=upper[0], paths=["*"])
        held = repo.roles[upper[0]].delegations
        for other in upper[1:]:
            repo.change(other, delegations=held)
    repo.publish("deep", b"deep", role="d")
    driver = repo.driver()
    search = Search(driver.run(refresh(repo.root_bytes(), repo.clock(), limits=Limits(listed_roles=200))))
    asked = len(driver.requests)
    assert [(each.path, each.role) for each in driver.run(search.targets())] == [("deep", "d")]
    assert len(driver.requests) - asked == sum(len(layer) for layer in layers)
