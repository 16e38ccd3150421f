"""An id for the installation, and numbers for its fences: a restored database is told by them."""

import uuid

import django.db.models.functions.datetime
from django.db import migrations, models


def name_it(apps, _schema_editor):
    apps.get_model("tasks", "Installation").objects.create(id=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [("tasks", "0012_batches_by_tracking")]

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RunPython(name_it, migrations.RunPython.noop),
        migrations.RunSQL("CREATE SEQUENCE tasks_fence_number", "DROP SEQUENCE tasks_fence_number"),
    ]
