from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("composer", "0018_sunset_rule")]

    operations = [
        migrations.AddField("story", "form_token", models.UUIDField(editable=False, null=True, unique=True)),
    ]
