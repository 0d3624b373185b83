"""Extraneous dependencies (specification 1.5.2): what TUF covers of them, and what is the application's.

TUF does not resolve dependencies. It vouches for files, one by one; a list of dependencies is such a file, or custom
data of one. So nobody can add a dependency to a list, offer a dependency that no role lists, or have one team's role
vouch for another team's package. Which of the listed packages are installed together remains the application's choice.
"""

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story
from tuffet.errors import MismatchError, ThresholdError
from tuffet.metadata import TUF_JSON, hashes_of
from tuffet.metadata.targets import TargetFile
from tuffet.testing import FakeRepository


def test_a_dependency_is_added_to_a_list_that_is_a_file(story: Story, repo: FakeRepository) -> None:
    """The list is a target like any other, and its hash decides."""
    file = repo.publish("app.requires", b"libgood\n")
    story.refresh()
    target = story.client.find("app.requires")
    assert target
    served = f"targets/{file.hashes.sha256}.app.requires"
    repo.serve(served, b"libevil\n")
    error = story.refused(
        MismatchError, lambda: story.client.download(target, to=story.downloads), attack="arbitrary-software", asked=[served]
    )
    assert (error.role, error.what) == ("app.requires", "sha256")


def test_a_dependency_is_added_to_custom_data(story: Story, repo: FakeRepository) -> None:
    """Custom data is signed with the rest: an edit costs the signature."""
    repo.publish("app.bin", b"two", custom={"requires": ["libgood"]})
    mirror = repo.fork()
    honest = mirror.served("3.targets.json")
    assert honest
    mirror.serve("3.targets.json", honest.replace(b"libgood", b"libevil"))
    repo.replay(mirror)
    asked = (*UP_TO_TIMESTAMP, "3.snapshot.json", "3.targets.json")
    story.refused(ThresholdError, story.client.refresh, attack="arbitrary-software", asked=asked, kept=["timestamp.json", "snapshot.json"])
    story.recovers()
    target = story.client.find("app.bin")
    assert target
    assert target.custom == {"requires": ["libgood"]}


def test_a_dependency_that_no_role_lists(story: Story, repo: FakeRepository) -> None:
    """It is nowhere, and no server is asked for it."""
    repo.serve("targets/libevil.bin", b"evil")
    heard = len(repo.requests)
    explanation = story.client.explain("libevil.bin")
    assert explanation.target is None
    assert explanation.sentences() == ["targets (version 2) neither lists it nor delegates its path."]
    assert len(repo.requests) == heard


def test_a_team_lists_the_dependency_of_another_team(begin: Begin, repo: FakeRepository) -> None:
    """A role that speaks for `evil/*` may list `good/lib.bin`; nobody asks it about that (4.5)."""
    repo.delegate("evil", paths=["evil/*"])
    repo.delegate("good", paths=["good/*"])
    repo.publish("good/lib.bin", b"good", role="good")
    repo.publish("good/lib.bin", b"evil", role="evil")
    story = begin(repo)
    explanation = story.client.explain("good/lib.bin")
    assert [visit.role for visit in explanation.visits] == ["targets", "good"]
    assert explanation.target
    assert (explanation.target.role, explanation.target.hashes) == ("good", hashes_of(b"good").known())
    assert {(each.path, each.role) for each in story.client.targets()} == {("app.bin", "targets"), ("good/lib.bin", "good")}


def test_a_mirror_adds_a_delegation(story: Story, repo: FakeRepository) -> None:
    """A delegation to the mirror's own role is an edit of targets, and unsigned."""
    mirror = repo.fork()
    mirror.delegate("evil", paths=["*"])
    mirror.roles["evil"].targets["libevil.bin"] = TargetFile(hashes=hashes_of(b"evil"), length=4)
    honest = repo.roles["targets"]
    signature = repo.signers["targets"][0].sign(TUF_JSON.signed_bytes(honest))
    mirror.serve("2.targets.json", TUF_JSON.seal(mirror.roles["targets"], [(repo.signers["targets"][0].keyid, signature)]))
    mirror.serve("timestamp.json", repo.served("timestamp.json") or b"")
    newcomer = begin_anew(story, mirror)
    asked = (*UP_TO_TIMESTAMP, "2.snapshot.json", "2.targets.json")
    kept = ["timestamp.json", "snapshot.json"]
    error = newcomer.refused(ThresholdError, newcomer.client.refresh, attack="arbitrary-software", asked=asked, kept=kept)
    assert error.role == "targets"


def begin_anew(story: Story, repo: FakeRepository) -> Story:
    """Return a story whose client has believed nothing yet."""
    return Story(repo, story.folder / "newcomer")
