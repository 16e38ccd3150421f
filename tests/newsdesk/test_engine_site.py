import os
import subprocess
from pathlib import Path

import pytest

from newsdesk.core.errors import OperationFailedError
from newsdesk.local_stack.engines import binaries, site
from newsdesk.local_stack.engines.account import Account

MOUNTS = [
    "/dev/vda / ext4 rw 0 0",
    "tmpfs /tmp tmpfs rw 0 0",
    "/dev/vdb /tmp/disk ext4 rw 0 0",
    "tmpfs /mnt/with\\040space tmpfs rw 0 0",
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/news", False),
        ("/tmp/news", True),
        ("/tmp", True),
        ("/tmpfiles", False),
        ("/tmp/disk/news", False),
        ("/mnt/with space/x", True),
    ],
)
def test_data_in_memory_is_noticed(path: str, expected: bool) -> None:
    assert site.in_memory(Path(path), MOUNTS) is expected


def test_missing_shared_memory_counts_as_small(tmp_path: Path) -> None:
    assert site.small_shared_memory(tmp_path / "absent")


def test_a_folder_without_programs_is_refused_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(OperationFailedError, match=r"there is no postgres in .*NEWSDESK_POSTGRES_BIN"):
        binaries.postgres(str(tmp_path))


def test_an_old_postgres_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "postgres"
    program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(OperationFailedError, match="has version 14; 15 or newer is needed"):
        binaries.major_version(tmp_path)
    program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.2 (Debian 16.2-1)'\n", encoding="utf-8")
    assert binaries.major_version(tmp_path) == 16


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user can always run the own programs")
def test_programs_out_of_reach_are_copied_with_their_libraries(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    programs = tmp_path / "private" / "package" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    program = programs / "postgres"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../../package.libs/library"\n', encoding="utf-8")
    program.chmod(0o700)
    library = tmp_path / "private" / "package.libs" / "library"
    library.parent.mkdir()
    library.write_text("found", encoding="utf-8")
    library.chmod(0o600)
    account = Account(name="nobody", uid=65534, gid=65534)
    data = tmp_path / "data"
    data.mkdir()
    copied = binaries.reachable_postgres(programs, account, data)
    assert copied == binaries.reachable_postgres(programs, account, data)
    assert subprocess.run([copied / "postgres"], capture_output=True, check=True).stdout == b"found"
    assert (copied / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copied.parents[2] / "package.libs" / "library").stat().st_mode & 0o777 == 0o644
    assert [path for path in data.iterdir() if path.name.startswith(".")] == []
