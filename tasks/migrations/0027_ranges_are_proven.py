"""Read all deliveries and exclusions once (some seconds for a hundred million), while others read and write."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0026_ranges_of_sends")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE tasks_delivery VALIDATE CONSTRAINT tasks_delivery_first", migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            "ALTER TABLE tasks_exclusion VALIDATE CONSTRAINT tasks_exclusion_first", migrations.RunSQL.noop
        ),
        # Last, since it stops those who exclude: about a second a million. Made concurrently it would wait for a second process
        # that waits for these migrations to end.
        migrations.AddIndex("exclusion", models.Index(fields=["subscriber_id"], name="tasks_exclusion_reader")),
    ]
