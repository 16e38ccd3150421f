"""What an operator may say about how fast and how carefully mails go out: part of the environment (`newsdesk.core.environment`)."""

from dataclasses import dataclass

from newsdesk.core.environment_variables import Variables

#: SendGrid retries a webhook for 24 hours (its Event Webhook documentation): silence proves nothing before.
SENDGRID_RETRY_WINDOW = 86_400
#: The sandbox posts its events within a second and keeps trying; ten seconds of silence are enough there.
SANDBOX_SILENCE_GRACE = 10
#: Long enough to see a mistake and stop it, too short to be in anybody's way.
UNDO_SECONDS = 10
#: A quarter of an hour: what SendGrid tells of itself and what it posts are usually minutes late at the most.
ACTIVITY_GRACE = 900
MAX_CONNECTIONS = 16
#: A restart or an update is over in less; a message of the morning is still one.
LATE_GRACE = 3600
#: Enough to be refused by, too few to be missed.
CANARY = 20
#: Percent. A list in use bounces one or two in a hundred; mailbox providers distrust a sender from 0.3 % complaints on.
MOST_FAILED = 5.0
MOST_BOUNCED = 10.0
MOST_COMPLAINED = 0.5
#: Percent. A mailbox provider defers one or two in a hundred on a good day; one that limits a sender defers most of what comes.
MOST_DEFERRED = 20.0
#: Percent that are an alarm once a send is over: mailbox providers ask for less than one complaint in a thousand.
ALARM_BOUNCED = 0.3
ALARM_COMPLAINED = 0.1
#: Editions within so many weeks. A mailbox that is full comes back within weeks; one that nobody reads does not.
SOFT_BOUNCE_EDITIONS = 5
SOFT_BOUNCE_WEEKS = 10
#: Three tests to twenty addresses.
TEST_MAILS_PER_HOUR = 60


@dataclass(frozen=True, kw_only=True)
class SendingEnvironment:
    #: Seconds without any event after which an attempt may be proven refused.
    silence_grace: int = SENDGRID_RETRY_WINDOW
    #: The same where the provider's activity feed knows nothing of the attempt either; 0 = it is never asked.
    activity_grace: int = ACTIVITY_GRACE
    #: Requests that one worker process has in flight at the same time.
    connections: int = 4
    #: The most that all workers together hand to the transport in a second; 0 = as fast as it goes.
    rate_recipients: int = 0
    rate_requests: int = 0
    #: Seconds between preparing a send and its first batch, in which it can be taken back.
    undo_seconds: int = UNDO_SECONDS
    #: Seconds after its time within which a send that could not be prepared still goes out by itself; not for slots' sends.
    late_grace: int = LATE_GRACE
    #: Readers in the first batch of a send of several batches, whose answer the others wait for; 0 = none is small and alone.
    canary: int = CANARY
    #: Percent of a send's readers above which it pauses itself; 0 = it never does.
    most_failed: float = MOST_FAILED
    most_bounced: float = MOST_BOUNCED
    most_complained: float = MOST_COMPLAINED
    #: Percent of the mail to a mailbox domain above which it is handed less; 0 = never.
    most_deferred: float = MOST_DEFERRED
    #: Percent of a send's readers above which a send that is over is an alarm; 0 = it never is.
    alarm_bounced: float = ALARM_BOUNCED
    alarm_complained: float = ALARM_COMPLAINED
    #: Editions that an address may refuse softly within so many weeks before it is mailed no more; 0 editions = any number.
    soft_bounce_editions: int = SOFT_BOUNCE_EDITIONS
    soft_bounce_weeks: int = SOFT_BOUNCE_WEEKS
    #: Test mails that one person may send from the desk within an hour.
    test_mails_per_hour: int = TEST_MAILS_PER_HOUR


def read_sending(variables: Variables, *, grace: int, undo_seconds: int) -> SendingEnvironment:
    """Read the variables; `grace` and `undo_seconds` where they say nothing. Raises EnvironmentVariableError."""
    return SendingEnvironment(
        silence_grace=variables.seconds("NEWSDESK_SILENCE_GRACE", grace),
        activity_grace=variables.seconds("NEWSDESK_ACTIVITY_GRACE", ACTIVITY_GRACE),
        connections=variables.whole("NEWSDESK_CONNECTIONS", 4, least=1, most=MAX_CONNECTIONS),
        rate_recipients=variables.whole("NEWSDESK_RATE_RECIPIENTS", 0),
        rate_requests=variables.whole("NEWSDESK_RATE_REQUESTS", 0),
        undo_seconds=variables.seconds("NEWSDESK_UNDO_SECONDS", undo_seconds),
        late_grace=variables.seconds("NEWSDESK_LATE_GRACE", LATE_GRACE),
        canary=variables.whole("NEWSDESK_CANARY", CANARY, most=1000),
        most_failed=variables.percent("NEWSDESK_MOST_FAILED", MOST_FAILED),
        most_bounced=variables.percent("NEWSDESK_MOST_BOUNCED", MOST_BOUNCED),
        most_complained=variables.percent("NEWSDESK_MOST_COMPLAINED", MOST_COMPLAINED),
        most_deferred=variables.percent("NEWSDESK_MOST_DEFERRED", MOST_DEFERRED),
        alarm_bounced=variables.percent("NEWSDESK_ALARM_BOUNCED", ALARM_BOUNCED),
        alarm_complained=variables.percent("NEWSDESK_ALARM_COMPLAINED", ALARM_COMPLAINED),
        soft_bounce_editions=variables.whole("NEWSDESK_SOFT_BOUNCE_EDITIONS", SOFT_BOUNCE_EDITIONS, most=100),
        soft_bounce_weeks=variables.whole("NEWSDESK_SOFT_BOUNCE_WEEKS", SOFT_BOUNCE_WEEKS, least=1, most=100),
        test_mails_per_hour=variables.whole("NEWSDESK_TEST_MAILS_PER_HOUR", TEST_MAILS_PER_HOUR, least=1),
    )
