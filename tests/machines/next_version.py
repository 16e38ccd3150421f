"""A next version of Newsdesk: this one's code in another folder, with a migration and a model that uses what it adds."""

import shutil
from pathlib import Path

from tests.command_line import ROOT

_PACKAGES = ("composer", "newsdesk", "subscribers", "tasks", "templates", "web")
#: After a line of the model: what the migration adds, which the version before does not know.
_AFTER = "    claimed_at = models.DateTimeField(null=True)\n"
_FIELD = '    made_by = models.CharField(max_length=20, default="next version", db_default="version before")\n'
_MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "{last}")]

    operations = [
        migrations.AddField(
            "batch", "made_by", models.CharField(max_length=20, default="next version", db_default="version before")
        ),
        migrations.AddIndex("attempt", models.Index(fields=["finished_at"], name="tasks_attempt_finished")),
        migrations.RunSQL("UPDATE tasks_batch SET made_by = 'migration'", migrations.RunSQL.noop),
    ]
"""


def make(folder: Path) -> Path:
    """Its code, in a new folder."""
    folder.mkdir()
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    # By it an installation knows that it is a checkout.
    shutil.copy2(ROOT / "pyproject.toml", folder)
    model = folder / "tasks" / "models" / "batch.py"
    before, line, after = model.read_text(encoding="utf-8").partition(_AFTER)
    assert line
    model.write_text(before + line + _FIELD + after, encoding="utf-8")
    migrations = folder / "tasks" / "migrations"
    last = max(path.stem for path in migrations.glob("[0-9]*.py"))
    (migrations / "9999_next_version.py").write_text(_MIGRATION.format(last=last), encoding="utf-8")
    return folder
