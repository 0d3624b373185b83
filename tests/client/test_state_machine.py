"""Anything may happen in any order: no client ever believes what is older than it believed, or what nobody signed.

Repositories publish, rotate and renew; mirrors replay what they once saw; forgers sign with keys of their own; time
passes; machines stop in the middle. A client that is offered what is newest, signed and fresh believes it.
"""

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tuffet.client import Client
from tuffet.client.kept import claimed_version
from tuffet.errors import TuffetError
from tuffet.metadata import TUF_JSON, Root
from tuffet.names import TOP_LEVEL
from tuffet.storage.disk import DISK, Disk
from tuffet.testing import FakeClock, FakeRepository
from tuffet.testing.crash import Crash, CrashingDisk
from tuffet.trust.workflow import Trusted

EVIL = "evil"


class ClientMachine(RuleBasedStateMachine):
    """One cache, a client in a new process each time, and the world around it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.repo = FakeRepository()
        assert isinstance(self.repo.clock, FakeClock)
        self.clock = self.repo.clock
        self.first = self.repo.root_bytes()
        self.seen: list[FakeRepository] = []
        self.honest = True
        self.shut_out = False
        self.believed: dict[str, int] = {}
        self.delegated = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def client(self, disk: Disk = DISK) -> Client:
        places = (self.repo.metadata_url, self.repo.target_url)
        return Client(*places, cache_dir=self.folder, root=self.first, transport=self.repo.transport, clock=self.clock, disk=disk)

    # What the repository does.

    @initialize()
    def begin(self) -> None:
        self.repo.publish("app", b"1")

    @rule(number=st.integers(0, 3))
    def publish(self, number: int) -> None:
        self.repo.publish(f"app-{number}", b"%d" % number)

    @rule(by=st.sampled_from(["targets", "role-0", "role-1"]), terminating=st.booleans())
    def delegate(self, by: str, *, terminating: bool) -> None:
        if by in self.repo.roles and self.delegated < 4:
            self.repo.delegate(f"role-{self.delegated}", by=by, paths=["*"], terminating=terminating)
            self.delegated += 1

    @rule(role=st.sampled_from([*TOP_LEVEL, "role-0"]))
    def rotate(self, role: str) -> None:
        if role in self.repo.signers:
            self.repo.rotate(role)
        # That undoes a fast-forward (5.3.11).
        self.shut_out = self.shut_out and role != "timestamp"

    @rule(role=st.sampled_from(TOP_LEVEL))
    def renew(self, role: str) -> None:
        self.repo.renew(role)

    # What others do.

    @rule()
    def somebody_makes_a_copy(self) -> None:
        self.seen.append(self.repo.fork())

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def a_mirror_replays(self, data: st.DataObject) -> None:
        self.repo.replay(data.draw(st.sampled_from(self.seen)))
        self.honest = False

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), role=st.sampled_from(TOP_LEVEL))
    def a_mirror_mixes(self, data: st.DataObject, role: str) -> None:
        """Serve the newest files, but those of one role, and the timestamp, as they once were."""
        old = data.draw(st.sampled_from(self.seen))
        mixed = self.repo.fork()
        for name in (f"{mixed.snapshot.version}.{role}.json", f"{mixed.root.version}.root.json", "timestamp.json"):
            if (bytes_then := old.store.read(name)) is not None:
                mixed.serve(name, bytes_then)
        self.repo.replay(mixed)
        self.honest = False

    @rule(roles=st.sets(st.sampled_from(TOP_LEVEL), min_size=1))
    def a_forger_signs(self, roles: set[str]) -> None:
        """Publish with keys that no root names; `root` among them signs a root that names them."""
        forger = self.repo.fork()
        for role in roles:
            forger.signers[role] = forger.new_signers(1)
        if "root" in roles:
            forger.rotate("targets")
        forger.publish(EVIL, b"evil")
        for role in roles - {"targets"}:
            forger.renew(role)
        if roles != {"root"}:
            self.repo.replay(forger)
            self.honest = False
            # He who has the real key of the timestamp may shut clients out, until it is rotated, though not deceive them.
            self.shut_out = self.shut_out or "timestamp" not in roles

    @rule(name=st.sampled_from(["timestamp.json", "snapshot.json", "targets.json", "root.json", "roots/2.root.json"]), cut=st.booleans())
    def the_disk_damages(self, name: str, *, cut: bool) -> None:
        """Lose the end of a file; what it protected against may then come back, so nothing is expected of it any more."""
        path = self.folder / name
        if path.exists() and (cut or name in {"root.json", "targets.json"}):
            path.write_bytes(path.read_bytes()[:-5])
            if name in {"timestamp.json", "snapshot.json", "roots/2.root.json"}:
                self.believed.clear()

    @rule()
    def the_world_is_honest_again(self) -> None:
        self.repo.replay(self.repo)
        self.honest = True

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    # What the client does.

    @rule()
    def refresh(self) -> None:
        try:
            client = self.client()
            trusted = client.refresh()
        except TuffetError:
            assert not (self.honest and not self.shut_out and self.is_fresh()), "what is newest, signed and fresh was refused"
            return
        self.judge(trusted)
        if self.honest:
            assert trusted.timestamp.payload == self.repo.timestamp
            assert client.find(EVIL) is None

    @rule(step=st.integers(0, 80))
    def the_machine_stops(self, step: int) -> None:
        with suppress(Crash, TuffetError):
            self.judge(self.client(CrashingDisk(step, power=True)).refresh())

    def is_fresh(self) -> bool:
        documents = (self.repo.root, self.repo.timestamp, self.repo.snapshot, *self.repo.roles.values())
        return all(document.expires_at > self.clock() for document in documents)

    def judge(self, trusted: Trusted) -> None:
        """Compare with what was believed before: nothing may be older, gone, expired or somebody else's."""
        documents = (trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets)
        now = {document.role: document.payload.version for document in documents}
        now |= {name.removesuffix(".json"): file.version for name, file in trusted.snapshot.payload.meta.items()}
        assert {role: version for role, version in self.believed.items() if now.get(role, 0) < version} == {}
        assert all(document.payload.expires_at > self.clock() for document in documents)
        assert EVIL not in trusted.targets.payload.targets
        self.believed = now

    @invariant()
    def the_chain_of_roots_is_ours(self) -> None:
        for path in self.folder.glob("roots/*.root.json"):
            data = path.read_bytes()
            version = claimed_version(data)
            if version:
                assert TUF_JSON.parse(data, Root).payload == TUF_JSON.parse(self.repo.root_bytes(version), Root).payload

    @invariant()
    def nothing_lies_about(self) -> None:
        assert {path.name for path in self.folder.iterdir() if not path.name.startswith(".tuffet-")} <= {
            "roots", "root.json", "timestamp.json", "snapshot.json", "targets.json", *(f"role-{number}.json" for number in range(4)),
        }  # fmt: skip


TestClient = ClientMachine.TestCase
TestClient.settings = settings(max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
