"""For how many days what need not stay is kept: part of the environment (`newsdesk.core.environment`)."""

from dataclasses import dataclass

from newsdesk.core.environment_variables import Variables


@dataclass(frozen=True, kw_only=True)
class RetentionEnvironment:
    #: Days for which raw webhook receipts are kept once they are applied; 0 = for ever.
    receipt_days: int = 30
    #: The same for events, tests and other single mails, mails written as files, exports in the home, ended logins.
    event_days: int = 730
    #: Days for which deliveries are kept in the database once their sends are over.
    delivery_days: int = 0
    mail_days: int = 90
    outbox_days: int = 90
    export_days: int = 7
    login_days: int = 30


def read_retention(variables: Variables) -> RetentionEnvironment:
    """Raises EnvironmentVariableError."""
    usual = RetentionEnvironment()
    return RetentionEnvironment(
        receipt_days=variables.whole("NEWSDESK_RECEIPT_DAYS", usual.receipt_days),
        event_days=variables.whole("NEWSDESK_EVENT_DAYS", usual.event_days),
        delivery_days=variables.whole("NEWSDESK_DELIVERY_DAYS", usual.delivery_days),
        mail_days=variables.whole("NEWSDESK_MAIL_DAYS", usual.mail_days),
        outbox_days=variables.whole("NEWSDESK_OUTBOX_DAYS", usual.outbox_days),
        export_days=variables.whole("NEWSDESK_EXPORT_DAYS", usual.export_days),
        login_days=variables.whole("NEWSDESK_LOGIN_DAYS", usual.login_days),
    )
