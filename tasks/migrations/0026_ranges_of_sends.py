"""Deliveries and exclusions are about to be partitioned by sends: which sends stay where they are now.

The tables of today become their first partitions. A condition tells PostgreSQL which sends these hold: written here in a moment, proven
in the next migration while everything goes on, so that nothing needs to be read when they are attached.
"""

from django.db import migrations

#: Sends in one partition. `tasks/migrations/0028_partitions.py` has it too.
SENDS = 8
#: A running installation may make sends between these migrations: so many more may still go to the tables of today.
MARGIN = 16

FORWARD = f"""
DO $$
DECLARE
    newest bigint := COALESCE(GREATEST((SELECT max(id) FROM tasks_send), (SELECT max(send_id) FROM tasks_delivery),
                                       (SELECT max(send_id) FROM tasks_exclusion)), 0);
    border bigint := CASE newest WHEN 0 THEN {SENDS} ELSE (newest / {SENDS} + 1) * {SENDS} + {MARGIN} END;
BEGIN
    EXECUTE format('ALTER TABLE tasks_delivery ADD CONSTRAINT tasks_delivery_first CHECK (send_id < %s) NOT VALID', border);
    EXECUTE format('ALTER TABLE tasks_exclusion ADD CONSTRAINT tasks_exclusion_first CHECK (send_id < %s) NOT VALID', border);
END $$
"""
BACKWARD = """
ALTER TABLE tasks_delivery DROP CONSTRAINT IF EXISTS tasks_delivery_first;
ALTER TABLE tasks_exclusion DROP CONSTRAINT IF EXISTS tasks_exclusion_first
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0025_warm_up_by_editions")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
