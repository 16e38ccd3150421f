"""Consent is proof: rows are added, never changed. An erasure may empty the subscriber, nothing else."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION subscribers_consent_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.subscriber_id IS NULL
        AND (NEW.id, NEW.list_id, NEW.kind, NEW.source, NEW.wording, NEW.at)
            IS NOT DISTINCT FROM (OLD.id, OLD.list_id, OLD.kind, OLD.source, OLD.wording, OLD.at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'subscribers_consent only grows: add a row instead'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER subscribers_consent_append_only BEFORE UPDATE OR DELETE ON subscribers_consent
    FOR EACH ROW EXECUTE FUNCTION subscribers_consent_only_grows();
"""
BACKWARD = """
DROP TRIGGER subscribers_consent_append_only ON subscribers_consent;
DROP FUNCTION subscribers_consent_only_grows();
"""


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
