"""The Celery application, its queues and beat's schedule; a message only wakes a worker (docs/adr/0002)."""

import gc
import os
import signal
import sys
import warnings
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init, worker_process_init, worker_ready
from kombu.entity import Queue

from newsdesk.core.child_process import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsdesk.settings")

from django.conf import settings

from tasks import queue, worker_shutdown
from tasks.broker_clock import ByBrokersClock
from tasks.database import identity

# Messages are JSON: what the warning fears cannot be sent.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

#: Longer than the hard limit of any task, so that a running one is never started a second time.
VISIBILITY_TIMEOUT = 600

app = Celery("newsdesk", include=["tasks.celery_tasks"], task_cls=ByBrokersClock)
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_TIMEOUT,
        # A message of a killed main process comes back within seconds of the timeout, not minutes.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        # A broker that stands still answers nothing: whoever waits for it must come to know that it is gone.
        "socket_connect_timeout": 2,
        "socket_timeout": 10,
        "socket_keepalive": True,
    },
    # It may be away for a night: the worker and beat go on trying.
    broker_connection_max_retries=None,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_soft_shutdown_timeout=5.0,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2},
    # Test sends and alarm mails ("letters") go first; beat's short tasks ("errands") must not wait behind a thousand batches.
    task_queues=[Queue(name) for name in ("letters", "errands", "receipts", "batches")],  # type: ignore[no-untyped-call]
    task_default_queue="errands",
    task_routes={
        "tasks.submit_letter": {"queue": "letters"},
        "tasks.submit_batch": {"queue": "batches"},
        "tasks.apply_receipt": {"queue": "receipts"},
    },
    timezone="UTC",
    beat_scheduler="tasks.beat_scheduler:SteadyScheduler",
    beat_schedule_filename=str(settings.HOME.path / "beat-schedule"),
    beat_schedule={
        "due sends": {"task": "tasks.prepare_due_sends", "schedule": 5.0, "options": {"expires": 10}},
        "story vectors": {"task": "tasks.embed_stories", "schedule": 60.0, "options": {"expires": 60}},
        "sources": {"task": "tasks.poll_sources", "schedule": 60.0, "options": {"expires": 60}},
        "sources of editions": {"task": "tasks.check_sources", "schedule": 60.0, "options": {"expires": 60}},
        "slots": {"task": "tasks.keep_slots", "schedule": 60.0, "options": {"expires": 60}},
        "consent ledger": {"task": "tasks.join_consent_seals", "schedule": 60.0, "options": {"expires": 60}},
        "sweep": {"task": "tasks.sweep", "schedule": 10.0, "options": {"expires": 20}},
        "reconcile": {
            "task": "tasks.reconcile",
            # Five passes fit into the grace: every 2 s against the sandbox, once a minute against SendGrid.
            "schedule": float(min(60, max(2, settings.SILENCE_GRACE // 5))),
            "options": {"expires": 60},
        },
        "alarms": {"task": "tasks.tell_alarms", "schedule": 10.0, "options": {"expires": 20}},
        "bounces": {"task": "tasks.poll_bounces", "schedule": 60.0, "options": {"expires": 60}},
        "partitions": {
            "task": "tasks.keep_partitions",
            "schedule": crontab(minute="40"),
            "options": {"expires": 3000},
        },
        "list growth": {
            "task": "tasks.store_list_growth",
            "schedule": crontab(minute="1"),
            "options": {"expires": 3000},
        },
        # At night in Europe and America's evening; an hour late is as good, a day late is the next one.
        "compare suppressions": {
            "task": "tasks.compare_suppressions",
            "schedule": crontab(hour="3", minute="15"),
            "options": {"expires": 3600},
        },
        # After the comparison: who bounced for good need not be counted.
        "soft bounces": {
            "task": "tasks.suppress_soft_bounces",
            "schedule": crontab(hour="3", minute="30"),
            "options": {"expires": 3600},
        },
        "sunset rules": {
            "task": "tasks.keep_sunset_rules",
            "schedule": crontab(hour="4", minute="15"),
            "options": {"expires": 3600},
        },
        "expire receipts": {
            "task": "tasks.expire_receipts",
            "schedule": crontab(hour="3", minute="45"),
            "options": {"expires": 3600},
        },
    },
)


@worker_process_init.connect
def _end_with_the_main_process(**_: object) -> None:
    # Otherwise the children of a killed worker go on beside those of its successor.
    die_with_parent(signal.SIGKILL)
    # A batch is thousands of small objects that refer to nothing in a circle: do not look for circles after every 700 of
    # them. What the application has loaded by now stays for good.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@worker_init.connect
def _refuse_unsafe_database(**_: object) -> None:
    try:
        identity.refuse_unsafe_database()
    except identity.UnsafeDatabaseError as unsafe:
        # Celery logs what a handler raises and goes on; it does not go on after this.
        sys.exit(f"worker: {unsafe}")


@worker_ready.connect
def _notice_shutdown(**_: object) -> None:
    """Let worker loops end as soon as the worker is asked to stop: Celery's signal comes after the soft shutdown's wait."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, _requesting_shutdown(signal.getsignal(number)))


def _requesting_shutdown(handler: Any) -> Any:
    def request_shutdown(*args: Any) -> None:
        worker_shutdown.request()
        worker_shutdown.end_at_last()
        if callable(handler):
            handler(*args)

    return request_shutdown


@worker_ready.connect
def _recover_what_a_dead_worker_left(**_: object) -> None:
    """A killed worker takes the messages it had reserved with it: do not wait for beat to make up for them."""
    queue.enqueue_recovery_after_start()
