from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0006_events_in_our_words")]

    operations = [
        migrations.AddField("send", "canary_batch", models.PositiveBigIntegerField(null=True)),
    ]
