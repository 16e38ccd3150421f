from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0016_left_batches")]

    operations = [
        migrations.AddField("batch", "stalls", models.PositiveSmallIntegerField(default=0, db_default=0)),
    ]
