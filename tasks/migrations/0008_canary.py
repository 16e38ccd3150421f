from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0007_source_checks")]

    operations = [
        migrations.AddField("send", "canary_batch", models.PositiveBigIntegerField(null=True)),
    ]
