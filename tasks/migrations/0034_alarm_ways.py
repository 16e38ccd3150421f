from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0033_restored_tables")]

    operations = [
        migrations.CreateModel(
            name="AlarmWay",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("failures", models.PositiveIntegerField(db_default=0, default=0)),
                ("said", models.CharField(blank=True, db_default="", default="", max_length=400)),
            ],
        ),
    ]
