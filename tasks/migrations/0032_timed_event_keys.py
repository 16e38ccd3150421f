"""Keys of events begin with their time from now on: new rows lie beside each other in the index, and not each on a page of its own.

What happened before keeps its key, however often it is reported. Where there are events already the change comes a day later, so that
workers of the version before, which know nothing of it, may go on until then.
"""

from django.db import migrations, models

BEGIN = """
UPDATE tasks_installation SET timed_events_since = extract(epoch FROM statement_timestamp() + interval '1 day')::bigint
 WHERE EXISTS (SELECT 1 FROM tasks_event)
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0031_dropped")]

    operations = [
        migrations.AddField("Installation", "timed_events_since", models.BigIntegerField(db_default=0)),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
    ]
