import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("tasks", "0036_receipts_set_aside")]

    operations = [
        migrations.CreateModel(
            name="UnmatchedReport",
            fields=[
                ("key", models.BinaryField(max_length=16, primary_key=True, serialize=False)),
                ("attempt", models.UUIDField()),
                ("recorded_at", models.DateTimeField(db_default=Now())),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unmatched_reports",
                        to="tasks.send",
                    ),
                ),
            ],
        ),
    ]
