from django.db import migrations, models

#: Until now the decision stood with the batch's attempt alone, and nowhere where the batch had none.
LEFT = """
UPDATE tasks_batch b SET left_after_claims = b.attempts
  FROM tasks_attempt a WHERE a.id = b.attempt AND b.status = 'unknown' AND a.evidence @> '[{"decided": "leave"}]'
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0015_foreign_events")]

    operations = [
        migrations.AddField("batch", "left_after_claims", models.PositiveIntegerField(null=True)),
        migrations.RunSQL(LEFT, migrations.RunSQL.noop),
    ]
