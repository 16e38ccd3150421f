from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0017_soft_bounces_by_time")]

    operations = [
        migrations.AddField("batch", "stalls", models.PositiveSmallIntegerField(default=0, db_default=0)),
    ]
