"""A send keeps whose tables it was scheduled or prepared in: a dump that is restored makes them anew. Of those before nobody knows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0032_timed_event_keys")]

    operations = [migrations.AddField("Send", "table_oid", models.BigIntegerField(null=True))]
