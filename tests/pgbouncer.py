"""PgBouncer before a PostgreSQL of the tests."""

import shutil
import signal
from pathlib import Path

import pytest

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
PORT = 6432


def program() -> str:
    """Where it is. Skips the test where it is not."""
    if PROGRAM is None:
        pytest.skip("there is no PgBouncer (apt-get install pgbouncer)")
    return PROGRAM


def configure(folder: Path, *, server: str, mode: str, address: str = "", size: int = 20) -> Path:
    """Write its configuration into a folder that it may write to.

    `server`: where PostgreSQL is, in words of libpq. `mode`: session or transaction. `address`: where it listens beside the folder.
    """
    users = folder / "users.txt"
    users.write_text('"app" ""\n', encoding="ascii")
    lines = [
        "[databases]",
        f"* = {server} user=app",
        "[pgbouncer]",
        f"pool_mode = {mode}",
        f"default_pool_size = {size}",
        "max_client_conn = 500",
        "auth_type = any",
        f"auth_file = {users}",
        f"listen_addr = {address}",
        f"listen_port = {PORT}",
        f"unix_socket_dir = {folder}",
        f"logfile = {folder}/pgbouncer.log",
        "ignore_startup_parameters = extra_float_digits",
    ]
    file = folder / "pgbouncer.ini"
    file.write_text("\n".join(lines) + "\n", encoding="ascii")
    return file


#: It ends at once.
STOP = signal.SIGTERM
