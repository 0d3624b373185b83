"""Key compromise (specification 1.5.2): what fewer keys than a threshold can do (nothing), and what a threshold can.

A thief of a whole threshold signs as the role does; what he gains is what that role may say, and no more. Then the
owner rotates, and what he signed is worth nothing.
"""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, table
from tuffet.errors import AbsentError, ExpiredError, MismatchError, RollbackError, ThresholdError
from tuffet.keys.signer import Signer
from tuffet.metadata import TUF_JSON, hashes_of
from tuffet.metadata.targets import TargetFile
from tuffet.testing import FakeClock, FakeRepository
from tuffet.testing.repository import Payload

SNAPSHOT = (*UP_TO_TIMESTAMP, "5.snapshot.json")
TARGETS = (*SNAPSHOT, "4.targets.json")
TEAM = (*TARGETS, "3.team.json")

ROLES: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    # whose keys are stolen, the role, what is asked for until its document is judged, what is rightly believed until then
    ("root", "root", UP_TO_TIMESTAMP, ()),
    ("timestamp", "timestamp", UP_TO_TIMESTAMP, ()),
    ("snapshot", "snapshot", SNAPSHOT, ("timestamp.json",)),
    ("targets", "targets", TARGETS, ("timestamp.json", "snapshot.json")),
    ("a delegated role", "team", TEAM, ("timestamp.json", "snapshot.json", "targets.json")),
]


def two_of_three(role: str) -> FakeRepository:
    """Return a repository in which the role has three keys and needs two, with versions that are easy to name."""
    repo = FakeRepository()
    if role == "team":
        repo.delegate("team", paths=["team/*"], keys=3, threshold=2)
    else:
        repo.delegate("team", paths=["team/*"])
        repo.signers[role] = repo.new_signers(3)
        held = repo.root.roles[role]
        keys = {signer.keyid: signer.key for signer in repo.signers[role]}
        others = {keyid for name, each in repo.root.roles.items() if name != role for keyid in each.keyids}
        public = {**{keyid: key for keyid, key in repo.root.keys.items() if keyid in others}, **keys}
        repo.root = replace(repo.root, keys=public, roles={**repo.root.roles, role: replace(held, keyids=tuple(keys), threshold=2)})
        repo.serve("1.root.json", repo.sign(repo.root, "root"))
    repo.renew("targets", "snapshot", "timestamp")
    repo.renew("team")
    return repo


def document(repo: FakeRepository, role: str) -> Payload:
    """Return a role's document as it is now."""
    top: dict[str, Payload] = {"root": repo.root, "timestamp": repo.timestamp, "snapshot": repo.snapshot}
    return top.get(role) or repo.roles[role]


def signed_by(role: str, signers: Sequence[Signer], repo: FakeRepository) -> FakeRepository:
    """Return the repository as a thief of these keys publishes it; all other documents are honest."""
    honest = repo.fork()
    honest.renew("targets", "team") if role == "team" else honest.renew("targets")
    if role == "root":
        honest.new_root()
    thief = honest.fork()
    payload = document(thief, role)
    name = "timestamp.json" if role == "timestamp" else f"{payload.version}.{role}.json"
    thief.serve(name, thief.sign(payload, role, signers))
    return thief


@pytest.mark.parametrize(("role", "asked", "kept"), table(ROLES))
def test_one_key_of_two(begin: Begin, role: str, asked: tuple[str, ...], kept: tuple[str, ...]) -> None:
    """A thief of one key signs with it once, many times, and under every name that he can think of (B013, B023, B098, B104)."""
    repo = two_of_three(role)
    story = begin(repo)
    story.client.find("team/x")
    (stolen, *_) = repo.steal(role)
    others = repo.signers[role][1:]
    before = story.client.cache.contents()
    thief = signed_by(role, [stolen], repo)
    payload = document(thief, role)
    name = "timestamp.json" if role == "timestamp" else f"{payload.version}.{role}.json"
    good = stolen.sign(TUF_JSON.signed_bytes(payload))
    forgeries = [
        [(stolen.keyid, good)],
        [(stolen.keyid, good), *((other.keyid, good) for other in others)],
        [(stolen.keyid, good), (stolen.keyid.upper(), good), (f"{stolen.keyid} ", good), ("0" * 64, good)],
    ]
    for number, signatures in enumerate(forgeries):
        thief.serve(name, TUF_JSON.seal(payload, signatures))
        repo.replay(thief)

        def update() -> None:
            story.client.refresh()
            if role == "team":
                story.believed = story.client.trusted
                story.client.find("team/x")

        # What was rightly believed the first time is held from then on.
        later = asked if number == 0 else tuple(each for each in asked if each in {*UP_TO_TIMESTAMP, asked[-1]})
        error = story.refused(ThresholdError, update, attack="arbitrary-software", asked=later, kept=kept if number == 0 else ())
        assert (error.role, error.needed, error.proved) == (role, 2, (stolen.keyid,))
    assert {name for name, data in before.items() if story.client.cache.contents()[name] != data} == set(kept)


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "team"])
def test_two_keys_of_two(begin: Begin, role: str) -> None:
    """At the threshold the thief is the role: nobody can tell him from the owner, and the tests above are about something."""
    repo = two_of_three(role)
    story = begin(repo)
    thief = signed_by(role, repo.steal(role)[1:], repo)
    repo.replay(thief)
    trusted = story.refresh()
    story.client.find("team/x")
    assert trusted.root.payload.version == (2 if role == "root" else 1)
    assert trusted.targets.payload.version == 4


def evil(repo: FakeRepository) -> TargetFile:
    data = b"evil"
    repo.serve(f"targets/{hashes_of(data).sha256}.app.bin", data)
    return TargetFile(hashes=hashes_of(data), length=len(data))


ONLINE: list[tuple[str, tuple[str, ...], str, tuple[str, ...], tuple[str, ...]]] = [
    # which keys are stolen, where a new list of targets is refused nevertheless, what is asked for, what is believed before
    (
        "timestamp",
        ("timestamp",),
        "snapshot",
        (*UP_TO_TIMESTAMP, "3.snapshot.json"),
        ("timestamp.json",),
    ),
    (
        "timestamp and snapshot, as on many servers",
        ("timestamp", "snapshot"),
        "targets",
        (*UP_TO_TIMESTAMP, "3.snapshot.json", "3.targets.json"),
        ("timestamp.json", "snapshot.json"),
    ),
]


@pytest.mark.parametrize(("stolen", "refused", "asked", "kept"), table(ONLINE))
def test_stolen_online_keys_install_nothing(
    story: Story, repo: FakeRepository, stolen: tuple[str, ...], refused: str, asked: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    """The server that signs every hour cannot add a single target (B053), and a rotation takes away what it did."""
    thief = repo.fork()
    for role in {"root", "targets", "snapshot", "timestamp"} - set(stolen):
        thief.signers[role] = thief.new_signers(1)
    thief.change("targets", targets={"app.bin": evil(thief)})
    repo.replay(thief)
    error = story.refused(ThresholdError, story.client.refresh, attack="arbitrary-software", asked=asked, kept=kept)
    assert error.role == refused

    repo.replay(repo)
    for role in stolen:
        repo.rotate(role)
    story.recovers()
    target = story.client.find("app.bin")
    assert target
    assert target.length == 3


def test_a_stolen_timestamp_key_signs_no_other_role(story: Story, repo: FakeRepository) -> None:
    """A key is good for the roles that name it, and for no other, whatever else it is good for (B122)."""
    (key,) = repo.steal("timestamp")
    for role, file in (("snapshot", "3.snapshot.json"), ("targets", "3.targets.json")):
        thief = repo.fork()
        thief.signers[role] = [key]
        thief.publish("app.bin", b"evil")
        newcomer = Story(repo, story.folder / role)
        repo.replay(thief)
        asked = [*UP_TO_TIMESTAMP, "3.snapshot.json", *(["3.targets.json"] if role == "targets" else [])]
        kept = ["timestamp.json", *(["snapshot.json"] if role == "targets" else [])]
        error = newcomer.refused(ThresholdError, newcomer.client.refresh, attack="arbitrary-software", asked=asked, kept=kept)
        assert (error.role, asked[-1]) == (role, file)


def test_stolen_online_keys_freeze_until_something_offline_expires(begin: Begin) -> None:
    """Whoever signs timestamps may go on naming the same snapshot; the targets, signed offline, end that (5.6.5)."""
    repo = FakeRepository(expiry_days={"targets": 30, "root": 400})
    repo.publish("app.bin", b"one")
    story = begin(repo)
    thief = repo.fork()
    repo.publish("app.bin", b"two")
    repo.replay(thief)
    assert isinstance(repo.clock, FakeClock)
    for _ in range(29):
        repo.clock.advance(timedelta(days=1))
        thief.renew("snapshot", "timestamp")
        story.refresh()
    repo.clock.advance(timedelta(days=1))
    thief.renew("snapshot", "timestamp")
    asked = [*UP_TO_TIMESTAMP, f"{thief.snapshot.version}.snapshot.json"]
    error = story.refused(ExpiredError, story.client.refresh, attack="freeze", asked=asked, kept=["timestamp.json", "snapshot.json"])
    assert error.role == "targets"


def test_stolen_online_keys_roll_nothing_back(story: Story, repo: FakeRepository) -> None:
    """Versions of targets that the client has seen bound even those who sign the snapshot (5.5.5)."""
    repo.publish("app.bin", b"two")
    story.refresh()
    thief = repo.fork()
    thief.bump("snapshot", 4)
    thief.snapshot = replace(thief.snapshot, meta={"targets.json": replace(thief.snapshot.meta["targets.json"], version=2)})
    thief.serve("4.snapshot.json", thief.sign(thief.snapshot, "snapshot"))
    repo.replay(thief)
    asked = [*UP_TO_TIMESTAMP, "4.snapshot.json"]
    error = story.refused(RollbackError, story.client.refresh, attack="rollback", asked=asked, kept=["timestamp.json"])
    assert (error.role, error.trusted, error.offered) == ("targets", 3, 2)


def test_a_stolen_team_key_speaks_for_the_team_only(begin: Begin, repo: FakeRepository) -> None:
    """With the online keys as well, the thief owns `team/*`, and nothing beside it."""
    repo.delegate("team", paths=["team/*"])
    story = begin(repo)
    thief = repo.fork()
    thief.signers["targets"] = thief.new_signers(1)
    for path in ("team/tool", "app.bin", "other/tool", "team/deep/tool"):
        thief.publish(path, b"evil", role="team")
    thief.roles["targets"] = repo.roles["targets"]
    repo.replay(thief)
    story.refresh()
    found = {path: story.client.find(path) for path in ("team/tool", "app.bin", "other/tool", "team/deep/tool")}
    assert {path: target.role if target else None for path, target in found.items()} == {
        "team/tool": "team",
        "app.bin": "targets",
        "other/tool": None,
        "team/deep/tool": None,
    }


def test_a_team_key_is_taken_away(begin: Begin, repo: FakeRepository) -> None:
    """From then on what the thief signed is refused, and so is what is still in the cache under his key (B134)."""
    repo.delegate("team", paths=["team/*"])
    repo.publish("team/tool", b"good", role="team")
    story = begin(repo)
    assert story.client.find("team/tool")
    (stolen,) = repo.steal("team")
    repo.rotate("team")
    mirror = repo.fork()
    version = repo.roles["team"].version
    mirror.serve(f"{version}.team.json", mirror.sign(mirror.roles["team"], "team", [stolen]))
    repo.replay(mirror)
    story.refresh()
    asked = [f"{version}.team.json"]
    error = story.refused(ThresholdError, lambda: story.client.find("team/tool"), attack="arbitrary-software", asked=asked)
    assert (error.role, error.by) == ("team", "targets")
    story.recovers()
    assert story.client.find("team/tool")


def test_a_kept_role_is_believed_by_its_delegators_newest_word(begin: Begin, repo: FakeRepository) -> None:
    """The role itself did not change, but its key did: the copy in the cache is not believed under the new one (B134)."""
    repo.delegate("team", paths=["team/*"])
    repo.publish("team/tool", b"good", role="team")
    story = begin(repo)
    assert story.client.find("team/tool")
    held = repo.roles["targets"].delegations
    assert held
    assert held.roles
    (other,) = repo.new_signers(1)
    roles = (replace(held.roles[0], keyids=(other.keyid,)),)
    repo.change("targets", delegations=replace(held, keys={other.keyid: other.key}, roles=roles))
    story.refresh()
    error = story.refused(ThresholdError, lambda: story.client.find("team/tool"), attack="arbitrary-software", asked=["2.team.json"])
    assert error.proved == ()


def test_root_keys_are_rotated_away(begin: Begin, repo: FakeRepository) -> None:
    """A thief of the old root key comes too late for whoever has seen the next root (5.3.4, 6.1)."""
    story = begin(repo)
    thief = repo.fork()
    repo.rotate("root")
    story.refresh()
    thief.new_root()
    thief.new_root()
    repo.replay(thief)
    asked = ["3.root.json", "timestamp.json"]
    error = story.refused(ThresholdError, story.client.refresh, attack="arbitrary-software", asked=asked)
    assert (error.role, error.needed, error.by) == ("root", 1, "root 2")


def test_a_target_listed_by_a_thief_is_gone_after_recovery(begin: Begin, repo: FakeRepository) -> None:
    """Even the keys of targets were stolen: one new root and one new version of targets, and the client is back."""
    story = begin(repo)
    thief = repo.fork()
    thief.change("targets", targets={"app.bin": evil(thief)})
    repo.replay(thief)
    story.refresh()
    bad = story.client.find("app.bin")
    assert bad
    assert bad.length == 4

    repo.replay(repo)
    for role in ("targets", "snapshot", "timestamp"):
        repo.rotate(role)
    story.recovers()
    good = story.client.find("app.bin")
    assert good
    assert good.length == 3
    served = f"targets/{good.hashes['sha256']}.app.bin"
    repo.serve(served, b"evl")
    story.refused(MismatchError, lambda: story.client.download(good, to=story.downloads), attack="arbitrary-software", asked=[served])
    repo.withdraw(served)
    story.refused(AbsentError, lambda: story.client.download(good, to=story.downloads), attack=None, asked=[served])
