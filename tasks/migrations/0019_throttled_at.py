from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0018_left_out_readers")]

    operations = [migrations.AddField("transportstate", "throttled_at", models.DateTimeField(null=True))]
