from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0012_sunset_suppressions")]

    operations = [
        migrations.AddField(
            model_name="mergedreader",
            name="address",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
    ]
