"""Two records of one person become one: which id took whose place; answers on tracking go to the record that is kept."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

_ONLY_GROWS = """
CREATE OR REPLACE FUNCTION subscribers_trackinganswer_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'{person}
        AND (NEW.id, NEW.answer, NEW.source, NEW.wording, NEW.at)
            IS NOT DISTINCT FROM (OLD.id, OLD.answer, OLD.source, OLD.wording, OLD.at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'subscribers_trackinganswer only grows: add a row instead'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0009_list_growth")]

    operations = [
        migrations.CreateModel(
            name="MergedReader",
            fields=[
                ("gone_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("who", models.CharField(max_length=200)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "kept",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merged",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={"ordering": ["at", "pk"]},
        ),
        migrations.RunSQL(
            _ONLY_GROWS.format(person=""), _ONLY_GROWS.format(person=" AND NEW.subscriber_id IS NULL")
        ),
    ]
