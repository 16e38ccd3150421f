from django.db import migrations

#: SendGrid's words, as they were stored, and ours (`tasks.providers.events.EventKind`).
OURS = {
    "bounce": "hard_bounce",
    "blocked": "soft_bounce",
    "spamreport": "complaint",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "open": "opened",
    "machine_open": "opened_by_machine",
    "click": "clicked",
}
THE_SAME = ("processed", "delivered", "deferred", "dropped")


def _forwards() -> str:
    whens = " ".join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in OURS.items())
    same = ", ".join(f"'{kind}'" for kind in THE_SAME)
    return f"UPDATE tasks_event SET kind = CASE kind {whens} ELSE left('other:' || kind, 30) END WHERE kind NOT IN ({same})"


def _backwards() -> str:
    # Two words became one: the commoner comes back.
    theirs = {ours: word for word, ours in reversed(OURS.items())}
    whens = " ".join(f"WHEN '{ours}' THEN '{word}'" for ours, word in theirs.items())
    return f"UPDATE tasks_event SET kind = CASE kind {whens} ELSE replace(kind, 'other:', '') END"


class Migration(migrations.Migration):
    dependencies = [("tasks", "0005_one_table_for_each_thing")]

    operations = [migrations.RunSQL(_forwards(), _backwards())]
