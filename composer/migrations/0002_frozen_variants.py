"""The bytes approved are the bytes sent: the database itself refuses to change a variant."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION composer_variant_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'composer_variant is frozen: reopen the edition and approve it again'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER composer_variant_frozen BEFORE UPDATE ON composer_variant
    FOR EACH ROW EXECUTE FUNCTION composer_variant_is_frozen();
"""
BACKWARD = "DROP TRIGGER composer_variant_frozen ON composer_variant; DROP FUNCTION composer_variant_is_frozen();"


class Migration(migrations.Migration):
    dependencies = [("composer", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
