from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0010_mails_about_accounts")]

    operations = [
        migrations.CreateModel(
            name="WebhookCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=30)),
                ("digest", models.BinaryField(max_length=16)),
                ("signed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "digest"), name="tasks_webhook_call_once")
                ],
                "indexes": [models.Index(fields=["signed_at"], name="tasks_webhook_call_signed_at")],
            },
        ),
    ]
