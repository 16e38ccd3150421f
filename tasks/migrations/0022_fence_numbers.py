"""A fence's number stands with its attempt: a sequence alone jumps ahead when the database recovers, by up to 32, and would
hide that so many fences were lost (PostgreSQL writes sequences to its log in advance).
"""

from django.db import migrations, models

#: A worker of the version before still writes attempts during the update. Its fence takes a number of its own before or just after
#: this one; what stands here must not be below it.
_OF_THE_VERSION_BEFORE = "ALTER TABLE tasks_attempt ALTER COLUMN fence SET DEFAULT nextval('tasks_fence_number') + 1"
_SO_FAR = """
UPDATE tasks_installation SET fences_before = (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM tasks_fence_number)
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0021_throttled_at")]

    operations = [
        migrations.AddField("installation", "fences_before", models.BigIntegerField(db_default=0)),
        migrations.AddField("attempt", "fence", models.BigIntegerField(null=True)),
        migrations.AddIndex("attempt", models.Index(fields=["fence"], name="tasks_attempt_fence")),
        migrations.RunSQL(_OF_THE_VERSION_BEFORE, "ALTER TABLE tasks_attempt ALTER COLUMN fence DROP DEFAULT"),
        migrations.RunSQL(_SO_FAR, migrations.RunSQL.noop),
    ]
