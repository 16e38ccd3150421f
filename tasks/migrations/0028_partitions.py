"""Deliveries and exclusions in partitions of so many sends; what they hold today is the first, as it lies there.

A send that is made makes sure of its partition, whoever makes it: nobody has to remember. None is missing, so there is no default
partition, which would have to be read whenever another is added. A partition is made as a table of its own and attached: that stops nobody
who reads or writes the others. Deliveries have their indexes by partition and none on the whole, so that a partition nobody
adds to any more can have smaller ones (`tasks.database.partitions`).
"""

from django.db import migrations, models

SENDS = 8

PARTITIONED = """
ALTER TABLE tasks_delivery RENAME TO tasks_delivery_first;
ALTER TABLE tasks_exclusion RENAME TO tasks_exclusion_first;
ALTER INDEX tasks_exclusion_pkey RENAME TO tasks_exclusion_first_pkey;
ALTER INDEX tasks_exclusion_reader RENAME TO tasks_exclusion_first_reader;
ALTER INDEX tasks_exclusion_since RENAME TO tasks_exclusion_first_since;
ALTER INDEX tasks_exclusion_other_send RENAME TO tasks_exclusion_first_other_send;
CREATE TABLE tasks_delivery (LIKE tasks_delivery_first INCLUDING DEFAULTS) PARTITION BY RANGE (send_id);
CREATE TABLE tasks_exclusion (LIKE tasks_exclusion_first INCLUDING DEFAULTS,
    CONSTRAINT tasks_exclusion_kind CHECK (kind IN ('excluded', 'failed'))) PARTITION BY RANGE (send_id);
ALTER TABLE tasks_exclusion ADD PRIMARY KEY (send_id, subscriber_id);
CREATE INDEX tasks_exclusion_reader ON tasks_exclusion (subscriber_id);
CREATE INDEX tasks_exclusion_since ON tasks_exclusion (send_id, subscriber_id) WHERE attempt > 0;
CREATE INDEX tasks_exclusion_other_send ON tasks_exclusion (other_send_id) WHERE other_send_id IS NOT NULL;
"""
#: The border is what the first migration of these three has written down.
ATTACHED = f"""
DO $$
DECLARE
    border bigint := (SELECT substring(pg_get_constraintdef(oid) FROM '[0-9]+') FROM pg_constraint
                       WHERE conname = 'tasks_delivery_first' AND conrelid = 'tasks_delivery_first'::regclass);
BEGIN
    EXECUTE format('ALTER TABLE tasks_delivery ATTACH PARTITION tasks_delivery_first FOR VALUES FROM (MINVALUE) TO (%s)', border);
    EXECUTE format('ALTER TABLE tasks_exclusion ATTACH PARTITION tasks_exclusion_first FOR VALUES FROM (MINVALUE) TO (%s)', border);
    EXECUTE format($function$
        CREATE FUNCTION tasks_partition_for(send bigint) RETURNS boolean LANGUAGE plpgsql AS $body$
        -- True when it made the partition of this send, false when it was there.
        DECLARE
            low bigint := send - send %% {SENDS};
            part text := 'tasks_delivery_' || low;
            excluded text := 'tasks_exclusion_' || low;
        BEGIN
            IF send < %s OR to_regclass(part) IS NOT NULL THEN
                RETURN false;
            END IF;
            -- What attaching locks anyway: of two who make it, the second waits and finds it made. An advisory lock would not do, after
            -- which a session still believes what it knew of the catalogue before.
            -- ONLY: whoever vacuums one of the partitions is none of those two.
            LOCK TABLE ONLY tasks_delivery IN SHARE UPDATE EXCLUSIVE MODE;
            IF to_regclass(part) IS NOT NULL THEN
                RETURN false;
            END IF;
            EXECUTE format('CREATE TABLE %%I (LIKE tasks_delivery INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 50)', part);
            EXECUTE format('ALTER TABLE %%I ADD PRIMARY KEY (send_id, subscriber_id)', part);
            EXECUTE format('CREATE INDEX %%I ON %%I (batch_id)', part || '_batch', part);
            EXECUTE format('CREATE TABLE %%I (LIKE tasks_exclusion INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', excluded);
            EXECUTE format('ALTER TABLE tasks_delivery ATTACH PARTITION %%I FOR VALUES FROM (%%s) TO (%%s)', part, low, low + {SENDS});
            EXECUTE format('ALTER TABLE tasks_exclusion ATTACH PARTITION %%I FOR VALUES FROM (%%s) TO (%%s)', excluded, low, low + {SENDS});
            RETURN true;
        END $body$
    $function$, border);
END $$;
CREATE FUNCTION tasks_send_has_partition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tasks_partition_for(NEW.id);
    RETURN NEW;
END $$;
CREATE TRIGGER tasks_send_has_partition AFTER INSERT ON tasks_send FOR EACH ROW EXECUTE FUNCTION tasks_send_has_partition();
CREATE FUNCTION tasks_delivery_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'send % is over: nothing is added to its deliveries', NEW.send_id USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
WHOLE_AGAIN = """
DROP TRIGGER tasks_send_has_partition ON tasks_send;
DROP FUNCTION tasks_send_has_partition();
DROP FUNCTION tasks_partition_for(bigint);
CREATE TABLE tasks_delivery_whole (LIKE tasks_delivery INCLUDING DEFAULTS) WITH (fillfactor = 50);
INSERT INTO tasks_delivery_whole SELECT * FROM tasks_delivery;
DROP TABLE tasks_delivery;
DROP FUNCTION tasks_delivery_is_sealed();
ALTER TABLE tasks_delivery_whole RENAME TO tasks_delivery;
ALTER TABLE tasks_delivery ADD PRIMARY KEY (send_id, subscriber_id);
CREATE INDEX {batch_index} ON tasks_delivery (batch_id);
CREATE TABLE tasks_exclusion_whole (LIKE tasks_exclusion INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO tasks_exclusion_whole SELECT * FROM tasks_exclusion;
DROP TABLE tasks_exclusion;
ALTER TABLE tasks_exclusion_whole RENAME TO tasks_exclusion;
ALTER TABLE tasks_exclusion ADD PRIMARY KEY (send_id, subscriber_id);
CREATE INDEX tasks_exclusion_reader ON tasks_exclusion (subscriber_id);
CREATE INDEX tasks_exclusion_since ON tasks_exclusion (send_id, subscriber_id) WHERE attempt > 0;
CREATE INDEX tasks_exclusion_other_send ON tasks_exclusion (other_send_id) WHERE other_send_id IS NOT NULL;
"""


def partition(_apps, schema_editor):
    # Without parameters: a percent sign is one.
    schema_editor.execute(PARTITIONED, params=None)
    schema_editor.execute(ATTACHED, params=None)


def join(apps, schema_editor):
    model = apps.get_model("tasks", "Delivery")
    name = schema_editor._create_index_name(model._meta.db_table, ["batch_id"])
    schema_editor.execute(WHOLE_AGAIN.format(batch_index=schema_editor.quote_name(name)), params=None)


class Migration(migrations.Migration):
    dependencies = [("tasks", "0027_ranges_are_proven")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(partition, join)],
            state_operations=[migrations.AlterField("Delivery", "batch_id", models.BigIntegerField())],
        )
    ]
