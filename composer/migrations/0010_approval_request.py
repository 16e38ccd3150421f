from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("composer", "0009_reviews")]

    operations = [
        migrations.AddField("approval", "request", models.JSONField(default=dict)),
    ]
