from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0035_alarm_posts")]

    operations = [
        migrations.AddField("Receipt", "set_aside_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "Receipt", "set_aside_by", models.CharField(blank=True, db_default="", default="", max_length=200)
        ),
    ]
