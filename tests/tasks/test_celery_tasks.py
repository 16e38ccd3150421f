"""Task names are a wire format: a message of the old version may reach a worker of the new one."""

from tasks import celery_tasks
from tasks.celery import app

#: Rename one only with a release that answers to both names.
NAMES = {
    "tasks.submit_batch",
    "tasks.submit_letter",
    "tasks.apply_receipt",
    "tasks.prepare_send",
    "tasks.poll_sources",
    "tasks.poll_bounces",
    "tasks.prepare_due_sends",
    "tasks.keep_slots",
    "tasks.sweep",
    "tasks.sweep_after_start",
    "tasks.reconcile",
    "tasks.tell_alarms",
    "tasks.check_links",
    "tasks.check_sources",
    "tasks.expire_receipts",
    "tasks.join_consent_seals",
    "tasks.keep_partitions",
    "tasks.compare_suppressions",
    "tasks.store_list_growth",
    "tasks.embed_stories",
    "tasks.suppress_soft_bounces",
    "tasks.keep_sunset_rules",
}
QUEUES = {"letters", "errands", "receipts", "batches"}


def registered() -> set[str]:
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_the_names_stay() -> None:
    assert registered() == NAMES


def test_whatever_beat_and_the_routes_name_exists() -> None:
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= NAMES
    assert set(app.conf.task_routes) <= NAMES
    assert {queue.name for queue in app.conf.task_queues} == QUEUES
    assert {route["queue"] for route in app.conf.task_routes.values()} <= QUEUES


def test_a_message_carries_one_id_at_most() -> None:
    for name in NAMES:
        function = app.tasks[name].run
        assert function.__code__.co_argcount <= 1, name
    assert celery_tasks.submit_batch.name == "tasks.submit_batch"
