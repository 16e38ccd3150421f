from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0030_archived_sends")]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="dropped",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
