from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("composer", "0008_mail_sources")]

    operations = [
        migrations.AddField("approval", "request", models.JSONField(default=dict)),
    ]
