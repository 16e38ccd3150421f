"""A batch says itself whether its request asks for opens and clicks; until now its publication did."""

from django.db import migrations, models

FORWARD = """
UPDATE tasks_batch b SET tracked = true
  FROM tasks_send s, composer_approval a, composer_edition e, composer_publication p
 WHERE s.id = b.send_id AND a.id = s.approval_id AND e.id = s.edition_id AND p.id = e.publication_id
   AND COALESCE((a.request ->> 'tracking')::boolean, p.tracking)
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0011_webhook_calls"), ("composer", "0013_tracking_by_consent")]

    operations = [
        migrations.AddField(
            model_name="batch", name="tracked", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
