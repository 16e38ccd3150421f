from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0014_erasures")]

    operations = [
        migrations.AddField("webhookstate", "foreign_events", models.PositiveBigIntegerField(db_default=0, default=0)),
    ]
