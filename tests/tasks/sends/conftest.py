"""Dumps of the database, and the databases that are kept where one takes their place."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from newsdesk.local_stack.engines import binaries


@pytest.fixture
def dump(tmp_path: Path, database_url: str) -> Iterator[Any]:
    def write() -> Path:
        file = tmp_path / "newsdesk.dump"
        program = binaries.postgres() / "pg_dump"
        subprocess.run([program, "--format=custom", f"--file={file}", database_url], check=True)
        return file

    yield write
    connections.close_all()
    given = connection.settings_dict
    with psycopg.connect(
        dbname="postgres", host=given["HOST"], port=5432, user=given["USER"], autocommit=True
    ) as server:
        names = server.execute("SELECT datname FROM pg_database WHERE datname LIKE '%\\_before\\_%'").fetchall()
        for (name,) in names:
            server.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(name)))
