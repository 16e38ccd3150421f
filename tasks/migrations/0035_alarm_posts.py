import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("tasks", "0034_alarm_ways")]

    operations = [
        migrations.AddField("AlarmWay", "not_before", models.DateTimeField(db_default=Now())),
        migrations.CreateModel(
            name="AlarmPost",
            fields=[
                (
                    "alarm",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="post",
                        serialize=False,
                        to="tasks.alarm",
                    ),
                ),
                ("raising_posted_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveIntegerField(db_default=0, default=0)),
            ],
        ),
    ]
