"""Whether a reader may be tracked, and the proof of it, which is only ever added to."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION subscribers_trackinganswer_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.subscriber_id IS NULL
        AND (NEW.id, NEW.answer, NEW.source, NEW.wording, NEW.at)
            IS NOT DISTINCT FROM (OLD.id, OLD.answer, OLD.source, OLD.wording, OLD.at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'subscribers_trackinganswer only grows: add a row instead'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER subscribers_trackinganswer_append_only BEFORE UPDATE OR DELETE ON subscribers_trackinganswer
    FOR EACH ROW EXECUTE FUNCTION subscribers_trackinganswer_only_grows();
"""
BACKWARD = """
DROP TRIGGER subscribers_trackinganswer_append_only ON subscribers_trackinganswer;
DROP FUNCTION subscribers_trackinganswer_only_grows();
"""


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0005_what_the_desk_looks_up")]

    operations = [
        migrations.AddField(
            model_name="subscriber",
            name="tracking",
            field=models.CharField(
                choices=[("unknown", "not asked"), ("granted", "agreed"), ("denied", "refused")],
                db_default="unknown",
                default="unknown",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.CheckConstraint(
                condition=models.Q(("tracking__in", ["unknown", "granted", "denied"])),
                name="subscribers_subscriber_tracking",
            ),
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(
                condition=models.Q(("tracking", "granted")), fields=["id"], name="subscribers_tracking_granted"
            ),
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(
                condition=models.Q(("tracking", "denied")), fields=["id"], name="subscribers_tracking_denied"
            ),
        ),
        migrations.CreateModel(
            name="TrackingAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("answer", models.CharField(max_length=8)),
                ("source", models.CharField(max_length=200)),
                ("wording", models.TextField(blank=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "subscriber",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tracking_answers",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("answer__in", ["granted", "denied"])),
                        name="subscribers_trackinganswer_answer",
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
