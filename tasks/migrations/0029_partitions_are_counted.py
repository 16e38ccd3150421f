"""What the planner knows of the whole is no partition's: without it, it guesses until the next night."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tasks", "0028_partitions")]

    operations = [migrations.RunSQL("ANALYZE tasks_delivery, tasks_exclusion", migrations.RunSQL.noop)]
