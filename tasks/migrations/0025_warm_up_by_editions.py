from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0024_deferrals")]

    operations = [migrations.AddField("warmup", "editions", models.JSONField(default=list, db_default=[]))]
