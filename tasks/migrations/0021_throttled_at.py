from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0020_sunsets")]

    operations = [migrations.AddField("transportstate", "throttled_at", models.DateTimeField(null=True))]
