"""The Celery tasks: each takes at most one id and calls one function. Their names are a wire format.

The message only wakes a worker: the database is the queue of record, and says what there is to do (docs/adr/0002).
"""

from celery import shared_task

from composer.same_story import vectors
from subscribers import consent_ledger, growth
from tasks import queue
from tasks.alarms import posting, ways
from tasks.attempts import reader_proof
from tasks.database import partitions
from tasks.feedback import applying, bounce_mailbox, inbox, soft_bounces, sunset
from tasks.links import checks
from tasks.preparation import preparing
from tasks.privacy import retention
from tasks.providers.registry import get_transport
from tasks.reconciliation import doubt_alarms, silence
from tasks.slots import upkeep
from tasks.sources import polling, staleness
from tasks.submission import recovery, worker_loop
from tasks.suppression_sync import syncing
from tasks.transactional import submitting

#: A tenth of a second each; others wait for this worker.
VECTORS_AT_ONCE = 50


@shared_task(name="tasks.submit_batch")
def submit_batch(batch_id: int) -> None:  # noqa: ARG001 - whichever it names, the loop takes what is due
    """Submit whatever batches are due, for a few seconds."""
    worker_loop.run_worker_loop(transport=get_transport())


@shared_task(name="tasks.submit_letter")
def submit_mail(mail_id: int) -> None:
    """Submit one transactional mail."""
    submitting.submit_mail(mail_id, transport=get_transport())


@shared_task(name="tasks.apply_receipt")
def apply_receipt(receipt_id: int) -> None:
    """Apply the events of this webhook call and of whatever others wait, for a few seconds."""
    if applying.apply_all_waiting():
        queue.enqueue_receipt(receipt_id)


@shared_task(name="tasks.prepare_send")
def prepare_send(send_id: int) -> None:
    """Prepare one send, if it is due."""
    preparing.prepare(send_id)


@shared_task(name="tasks.keep_slots")
def keep_slots() -> None:
    """Do what is due for every slot. Beat: each minute."""
    upkeep.keep_slots()


@shared_task(name="tasks.prepare_due_sends")
def prepare_due_sends() -> None:
    """Prepare every send whose time has come. Beat: every 5 s."""
    preparing.prepare_due()


@shared_task(name="tasks.sweep")
def recover() -> None:
    """Settle abandoned claims and enqueue what is due again. Beat: every 10 s."""
    recovery.recover()


@shared_task(name="tasks.sweep_after_start")
def recover_after_start() -> None:
    """The same once a worker has started, for all that is due."""
    recovery.recover(wake_all=True)


@shared_task(name="tasks.reconcile")
def reconcile() -> None:
    """Look for evidence of unknown attempts, and tell of those that wait for a person. Beat: five times in the silence
    grace, each minute at the least.
    """
    silence.reconcile(transport=get_transport())
    reader_proof.catch_up()
    doubt_alarms.look()


@shared_task(name="tasks.tell_alarms")
def tell_alarms() -> None:
    """Post the alarms that wait, and tell of ways for alarms that do not work. Beat: every 10 s."""
    posting.post_waiting()
    ways.look()


@shared_task(name="tasks.poll_bounces")
def poll_bounces() -> None:
    """Take in the delivery reports of the bounce mailbox, where one is set. Beat: each minute."""
    bounce_mailbox.poll()


@shared_task(name="tasks.expire_receipts")
def expire_receipts() -> None:
    """Delete what is kept no longer: bodies and digests of webhook calls, and whatever else has a period. Beat: nightly."""
    retention.keep_periods()
    inbox.forget_calls()


@shared_task(name="tasks.keep_partitions")
def keep_partitions() -> None:
    """Make partitions for sends to come, and seal one of sends that are over. Beat: hourly."""
    partitions.keep()


@shared_task(name="tasks.join_consent_seals")
def join_consent_seals() -> None:
    """Join what was sealed since to the consent ledger's chain. Beat: each minute."""
    consent_ledger.join_seals()


@shared_task(name="tasks.store_list_growth")
def store_list_growth() -> None:
    """Store how the lists stood when the last day ended, once. Beat: each hour, since it may be away at midnight."""
    growth.store_yesterday()


@shared_task(name="tasks.compare_suppressions")
def sync_suppressions() -> None:
    """Compare the suppression lists with the provider's. Beat: nightly."""
    syncing.sync_nightly()


@shared_task(name="tasks.suppress_soft_bounces")
def suppress_soft_bounces() -> None:
    """Suppress the addresses that refuse edition after edition. Beat: nightly."""
    soft_bounces.suppress()


@shared_task(name="tasks.keep_sunset_rules")
def keep_sunset_rules() -> None:
    """Leave out who reads nothing, where a publication's rule says so and a person agreed. Beat: nightly."""
    sunset.keep()


@shared_task(name="tasks.check_links")
def check_links(edition_id: int) -> None:
    """Follow the links of one edition."""
    checks.check_links(edition_id)


@shared_task(name="tasks.poll_sources")
def poll_sources() -> None:
    """Poll the feeds whose turn has come. Beat: each minute."""
    polling.poll_due()


@shared_task(name="tasks.check_sources")
def check_sources() -> None:
    """Look again at the sources of editions whose time is near. Beat: each minute."""
    staleness.check_due()


@shared_task(name="tasks.embed_stories")
def embed_stories() -> None:
    """Make the vectors of stories that have none; nothing without the extra newsdesk[radar]."""
    vectors.fill(most=VECTORS_AT_ONCE)
