"""The demonstration: a repository, a client, and four attacks on them, with real files, on this machine only.

Run it with `make demo`. It asks nothing, ends by itself with status 0, and leaves what it made in its work directory. If any
attack succeeded, or any honest step failed, it says so and ends with status 1.
"""

import argparse
import os
import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from tuffet import Client, Target, TuffetError
from tuffet.cli.server import Server
from tuffet.keys.files import KeyFile
from tuffet.keys.signer import Signer
from tuffet.metadata import TUF_JSON, MetaFile, Snapshot, TargetFile, Targets, Timestamp, hashes_of
from tuffet.metadata.expiry import encode_time

PROJECT = Path(__file__).resolve().parents[1]
PASSPHRASE = "a passphrase for a demonstration"  # noqa: S105  it protects nothing
BAR = "─" * 78


class DemoError(Exception):
    """The demonstration did not show what it should."""


def main() -> int:
    """Play the whole story."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=PROJECT / "build" / "demo", help="a directory that is made anew")
    work = parser.parse_args().work.resolve()
    try:
        Demo(work).play()
    except (DemoError, TuffetError, OSError) as error:
        print(f"\nTHE DEMONSTRATION FAILED: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


class Demo:
    """The story, told in `work`: `repo` is the maintainer's, `mirror` what the attacker serves, `home` the user's."""

    def __init__(self, work: Path) -> None:
        self.work, self.repo, self.mirror, self.downloads = work, work / "repo", work / "mirror", work / "downloads"
        self.environment = {**os.environ, "TUFFET_PASSPHRASE": PASSPHRASE, "TUFFET_HOME": str(work / "home"), "NO_COLOR": "1"}

    def play(self) -> None:
        """Build, publish, download, and be attacked."""
        if self.work.exists():
            shutil.rmtree(self.work)
        self.work.mkdir(parents=True)
        self.say("1. The files", "tuffet's own wheel and source archive, built now from this checkout.")
        files = self.build()

        self.say("2. The maintainer", "One command makes a repository with encrypted keys, one signs and publishes both files.")
        self.tuffet("init", "repo")
        self.tuffet("publish", "-C", "repo", *[str(file.relative_to(self.work)) for file in files])
        self.tuffet("status", "-C", "repo")

        self.say("3. The user", "A client that knows nothing but the first root downloads what is published, over HTTP.")
        with Server(str(self.repo / "public")) as server:
            names = [file.name for file in files]
            self.tuffet("get", server.url, *names, "--root", "repo/public/metadata/1.root.json", "--to", "downloads/")
        for file in files:
            if (self.downloads / file.name).read_bytes() != file.read_bytes():
                raise DemoError(f"{file.name} is not what was published")
        print(f"Both files are in {self.shown(self.downloads)}, byte for byte what was built.")

        self.attacks(files[0].name)
        self.farewell()

    def build(self) -> list[Path]:
        """Return the project's wheel and source archive, freshly built."""
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(self.work / "dist"), str(PROJECT)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise DemoError(f"the build failed:\n{done.stdout}{done.stderr}")
        files = sorted((self.work / "dist").iterdir())
        for file in files:
            print(f"  {file.name}  {file.stat().st_size:,} bytes")
        return files

    def tuffet(self, *arguments: str) -> None:
        """Run the command line as a user would, and show it."""
        print(f"\n$ tuffet {' '.join(arguments)}", flush=True)
        command = [sys.executable, "-m", "tuffet", *arguments]
        if subprocess.run(command, check=False, cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL).returncode:
            raise DemoError(f"tuffet {arguments[0]} did not succeed")

    # The attacks. The mirror is the attacker's own copy of everything public; the client knows only its URL.

    def attacks(self, name: str) -> None:
        """Show four attacks refused, and that the client is none the worse for them."""
        public = self.repo / "public"
        old = self.work / "mirror-of-yesterday"
        shutil.copytree(public, old)
        (self.work / "notes.txt").write_text("A second release, so that there is something newer than yesterday.\n", encoding="utf-8")
        self.say("4. A second release", "So that an attacker has something old to replay.")
        self.tuffet("publish", "-C", "repo", "notes.txt")
        shutil.copytree(public, self.mirror)

        with Server(str(self.mirror)) as server:
            url = server.url.rstrip("/")
            client = self.client(url)
            target = client.find(name)
            if target is None:
                raise DemoError(f"{name} is not to be found")
            self.swapped_file(client, target)
            self.replayed_timestamp(client, old)
            self.expired_metadata(url)
            self.stolen_online_key(client, target)
            self.put_back()
            client.refresh()
            client.download(target, f"{self.work / 'after'}/")
        print(f"\nAfter all this the same client refreshes and downloads {name} as if nothing had happened.")

    def client(self, url: str, now: datetime | None = None, cache: str = "cache") -> Client:
        """Return a client of the mirror, at an instant other than now if one is given."""
        root = (self.repo / "public" / "metadata" / "1.root.json").read_bytes()
        clock = {"clock": lambda: now} if now else {}
        return Client(f"{url}/metadata/", f"{url}/targets/", cache_dir=self.work / cache, root=root, **clock)  # type: ignore[arg-type]

    def swapped_file(self, client: Client, target: Target) -> None:
        """Attack 1: the mirror serves other bytes under the right name."""
        self.say("Attack 1: a swapped file", "The mirror serves other bytes under the name of the wheel, of the very same length.")
        for file in (self.mirror / "targets").iterdir():
            if file.name.endswith(target.path):
                data = bytearray(file.read_bytes())
                data[len(data) // 2] ^= 1
                file.unlink()
                file.write_bytes(data)
        place = self.work / "attacked"
        self.refused("arbitrary-software", lambda: client.download(target, f"{place}/"))
        if (place / target.path).exists():
            raise DemoError("a swapped file was kept")
        self.put_back()

    def replayed_timestamp(self, client: Client, old: Path) -> None:
        """Attack 2: the mirror serves yesterday's metadata, properly signed."""
        self.say("Attack 2: a replayed timestamp", "The mirror serves yesterday's timestamp. Every signature in it is genuine.")
        shutil.copy(old / "metadata" / "timestamp.json", self.mirror / "metadata" / "timestamp.json")
        self.refused("rollback", client.refresh)
        self.put_back()

    def expired_metadata(self, url: str) -> None:
        """Attack 3: the mirror never serves anything new."""
        self.say(
            "Attack 3: a freeze", "The mirror never serves anything new, and ten months go by. (The client is given a clock that shows so.)"
        )
        later = datetime.now(UTC) + timedelta(days=300)
        self.refused("freeze", self.client(url, later).refresh)

    def stolen_online_key(self, client: Client, target: Target) -> None:
        """Attack 4: the key that is used every day is stolen; the key for targets is not."""
        self.say(
            "Attack 4: a stolen online key",
            "The thief has the keys of snapshot and timestamp, and signs an evil file with them, versions and hashes all in order.",
        )
        trusted = client.trusted
        thief = self.stolen_signers()
        evil = b"#!/bin/sh\necho all your base\n"
        file = TargetFile(length=len(evil), hashes=hashes_of(evil))
        dates = {"expires": encode_time(datetime.now(UTC) + timedelta(days=5))}
        targets = replace(trusted.targets.payload, version=trusted.targets.payload.version + 1, targets={target.path: file}, **dates)
        self.forge(targets, "targets", thief)
        meta = {**trusted.snapshot.payload.meta, "targets.json": MetaFile(version=targets.version)}
        snapshot = replace(trusted.snapshot.payload, version=trusted.snapshot.payload.version + 1, meta=meta, **dates)
        self.forge(snapshot, "snapshot", thief)
        version = trusted.timestamp.payload.version + 1
        named = {"snapshot.json": MetaFile(version=snapshot.version)}
        self.forge(replace(trusted.timestamp.payload, version=version, meta=named, **dates), None, thief)
        # Another cache: what this thief can do, and all he can do, is to make its owner see versions that lead nowhere.
        url = client_url(client)
        self.refused("arbitrary-software", self.client(url, cache="cache-of-another-user").refresh)

    def stolen_signers(self) -> list[Signer]:
        """Return the keys that speak for snapshot and timestamp, unlocked."""
        import tomllib

        policy = tomllib.loads((self.repo / "tuffet.toml").read_text(encoding="utf-8"))
        names = dict.fromkeys([*policy["roles"]["snapshot"]["keys"], *policy["roles"]["timestamp"]["keys"]])
        files = [KeyFile.read(self.repo / policy["keys"][name]["file"]) for name in names]
        return [file.unlock(PASSPHRASE if file.encrypted else None) for file in files]

    def forge(self, payload: Targets | Snapshot | Timestamp, role: str | None, signers: list[Signer]) -> None:
        """Serve a document signed by whatever keys there are."""
        data = TUF_JSON.sign(payload, lambda signed: [(signer.keyid, signer.sign(signed)) for signer in signers])
        name = f"{payload.version}.{role}.json" if role else "timestamp.json"
        (self.mirror / "metadata" / name).write_bytes(data)

    def refused(self, attack: str, attempt: "object") -> None:
        """Make sure that an attempt is refused as the attack that it is, and say how."""
        assert callable(attempt)
        try:
            attempt()
        except TuffetError as error:
            if error.attack != attack:
                raise DemoError(f"refused as {error.attack}, not as {attack}: {error}") from error
            print(textwrap.fill(f"REFUSED as {error.attack}: {error}", 78, subsequent_indent="  "))
            return
        raise DemoError(f"THE ATTACK SUCCEEDED: {attack}")

    def put_back(self) -> None:
        """Make the mirror an honest copy again."""
        for folder in ("metadata", "targets"):
            for file in (self.mirror / folder).iterdir():
                file.unlink()
            shutil.copytree(self.repo / "public" / folder, self.mirror / folder, dirs_exist_ok=True)

    # Words.

    def say(self, title: str, text: str) -> None:
        """Print a heading and what is about to happen."""
        print(f"\n{BAR}\n{title}\n{textwrap.fill(text, 78)}\n", flush=True)

    def shown(self, path: Path) -> str:
        """Return a path as short as possible."""
        return os.path.relpath(path)

    def farewell(self) -> None:
        """Say what was shown, and what to try next."""
        self.say(
            "What you saw",
            "A repository made and published from one terminal; two real files downloaded by a client that trusts one root; a swapped "
            "file, a replayed timestamp, a freeze and a stolen online key, each refused by its name, with nothing kept.",
        )
        repo, home = self.shown(self.repo), self.shown(self.work / "home")
        print("Everything is still there. Try:\n")
        for command in (
            f"export TUFFET_PASSPHRASE='{PASSPHRASE}' TUFFET_HOME={home}",
            f".venv/bin/tuffet show {repo}",
            f".venv/bin/tuffet publish -C {repo} README.md",
            f".venv/bin/tuffet serve -C {repo}",
            "# and in another terminal, with the same first line:",
            f".venv/bin/tuffet get http://127.0.0.1:8000 README.md --root {repo}/public/metadata/1.root.json --to {self.shown(self.work)}/",
        ):
            print(f"  {command}")


def client_url(client: Client) -> str:
    """Return the URL of the mirror that a client asks."""
    return client.metadata_url.removesuffix("/metadata/")


if __name__ == "__main__":
    sys.exit(main())
