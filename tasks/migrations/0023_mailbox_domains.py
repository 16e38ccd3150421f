from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0022_fence_numbers")]

    operations = [
        migrations.CreateModel(
            "MailboxDomain",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("put_off_in_a_row", models.PositiveSmallIntegerField(default=0)),
                ("throttled_until", models.DateTimeField()),
                ("throttled_at", models.DateTimeField()),
                ("throttle_reason", models.CharField(blank=True, db_default="", default="", max_length=300)),
            ],
        ),
        migrations.AddField(
            "batch", "mailbox_domain", models.CharField(blank=True, db_default="", default="", max_length=255)
        ),
    ]
