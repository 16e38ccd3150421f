import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0018_stalled_batches")]

    operations = [
        migrations.AddField("exclusion", "other_send_id", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "exclusion",
            models.Index(
                fields=["other_send_id"],
                condition=models.Q(other_send_id__isnull=False),
                name="tasks_exclusion_other_send",
            ),
        ),
        migrations.AddField(
            "send",
            "in_place_of",
            models.ForeignKey(
                null=True,
                blank=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replacements",
                to="tasks.send",
            ),
        ),
    ]
