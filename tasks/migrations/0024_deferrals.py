from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0023_mailbox_domains")]

    operations = [
        migrations.AlterField("mailboxdomain", "throttled_until", models.DateTimeField(null=True)),
        migrations.AlterField("mailboxdomain", "throttled_at", models.DateTimeField(null=True)),
        migrations.AddField("mailboxdomain", "deferred", models.PositiveIntegerField(default=0, db_default=0)),
        migrations.AddField("mailboxdomain", "delivered", models.PositiveIntegerField(default=0, db_default=0)),
        migrations.AddField("mailboxdomain", "counted_since", models.DateTimeField(null=True)),
        migrations.AddField("mailboxdomain", "deferred_at", models.DateTimeField(null=True)),
    ]
