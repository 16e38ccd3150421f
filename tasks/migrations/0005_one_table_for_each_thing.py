from django.db import migrations, models

#: Until now tasks_transportstate held three kinds of rows.
SPLIT = """
INSERT INTO tasks_webhookstate (provider, refused_at)
SELECT 'sendgrid', webhook_refused_at FROM tasks_transportstate WHERE name = 'webhook' AND webhook_refused_at IS NOT NULL;
UPDATE tasks_warmup w SET throttled_until = t.throttled_until, throttle_reason = t.throttle_reason
  FROM tasks_transportstate t WHERE t.name = 'domain:' || left(w.domain, 53);
DELETE FROM tasks_transportstate WHERE name = 'webhook' OR name LIKE 'domain:%';
"""
MERGE = """
INSERT INTO tasks_transportstate (name, unknowns_in_a_row, webhook_refused_at)
SELECT 'webhook', 0, max(refused_at) FROM tasks_webhookstate HAVING count(*) > 0;
INSERT INTO tasks_transportstate (name, unknowns_in_a_row, throttled_until, throttle_reason)
SELECT 'domain:' || left(domain, 53), 0, throttled_until, throttle_reason FROM tasks_warmup
 WHERE throttled_until IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0004_control_and_flow")]

    operations = [
        # Tables keep their names: what reads them from outside goes on.
        migrations.AlterModelTable("Letter", "tasks_letter"),
        migrations.RenameModel("Letter", "TransactionalMail"),
        migrations.AlterModelTable("Comparison", "tasks_comparison"),
        migrations.RenameModel("Comparison", "SuppressionSync"),
        migrations.RenameField("Batch", "holder", "claimed_by"),
        migrations.RenameField("Batch", "rung_at", "enqueued_at"),
        migrations.RenameField("TransactionalMail", "holder", "claimed_by"),
        migrations.RenameField("TransportState", "hold_until", "throttled_until"),
        migrations.RenameField("TransportState", "hold_reason", "throttle_reason"),
        migrations.CreateModel(
            "WebhookState",
            [
                ("provider", models.CharField(max_length=30, primary_key=True, serialize=False)),
                ("refused_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField("WarmUp", "throttled_until", models.DateTimeField(null=True)),
        migrations.AddField(
            "WarmUp", "throttle_reason", models.CharField(blank=True, db_default="", default="", max_length=300)
        ),
        migrations.RunSQL(SPLIT, MERGE),
        migrations.RemoveField("TransportState", "webhook_refused_at"),
        migrations.AddField(
            "Receipt", "provider", models.CharField(db_default="sendgrid", default="sendgrid", max_length=30)
        ),
        migrations.RemoveConstraint("Send", "tasks_send_status"),
        migrations.AlterField(
            "Send",
            "status",
            models.CharField(
                choices=[
                    ("scheduled", "scheduled"),
                    ("sending", "sending"),
                    ("paused", "paused"),
                    ("cancelled", "cancelled"),
                    ("sent", "sent"),
                ],
                default="scheduled",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            "Send",
            models.CheckConstraint(
                condition=models.Q(status__in=["scheduled", "sending", "paused", "cancelled", "sent"]),
                name="tasks_send_status",
            ),
        ),
    ]
