"""Where stories come from by themselves: a feed or mailbox that is polled, an address for mails, and what of it was seen."""

import hashlib
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import models
from django.utils import timezone

_KINDS: dict[str, Literal["mailbox", "inbound"]] = {"imaps": "mailbox", "mailto": "inbound"}


def _signer() -> Signer:
    return Signer(sep=".", salt="composer.source.inbound")


class Source(models.Model):
    """One feed, mailbox or mail address of a publication. Its stories go into the inbox; an editor picks."""

    publication = models.ForeignKey("composer.Publication", on_delete=models.CASCADE, related_name="sources")
    url = models.CharField(
        "address",
        max_length=2000,
        help_text="An RSS, Atom or JSON feed; a mailbox as imaps://user@host/FOLDER; or mailto:stories@example.com.",
    )
    senders = models.CharField(
        max_length=1000,
        blank=True,
        help_text="Of mails: whom they are taken from, addresses or domains, separated by commas.",
    )
    title = models.CharField(max_length=300, blank=True, help_text="Left empty: as the feed calls itself.")
    topic = models.CharField(max_length=120, blank=True, help_text="Given to each of its stories.")
    include = models.CharField(
        "only with one of",
        max_length=500,
        blank=True,
        help_text="Words or topics, separated by commas; entries without one of them are passed over.",
    )
    exclude = models.CharField(
        "never with one of", max_length=500, blank=True, help_text="Words or topics, separated by commas."
    )
    is_active = models.BooleanField("is polled", default=True)
    #: What the server said of its last answer, sent back so that it need not answer again (RFC 9110, 13.1).
    etag = models.CharField(max_length=300, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    #: Of the last answer's bytes: some servers know neither of the above.
    body_hash = models.CharField(max_length=32, blank=True, editable=False)
    polled_at = models.DateTimeField("last poll", null=True, blank=True, editable=False)
    next_poll_at = models.DateTimeField("next poll", default=timezone.now, editable=False)
    #: In a row.
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.CharField("last error", max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "url", "pk"]
        indexes = [models.Index(fields=["is_active", "next_poll_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["publication", "url"],
                name="composer_source_once",
                violation_error_message="The publication has this source already.",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.url

    def save(self, *args: object, **kwargs: object) -> None:
        before = Source.objects.filter(pk=self.pk).values_list("url", flat=True).first() if self.pk else None
        if before not in {None, self.url}:
            # What the server said of the feed before is no answer to this one.
            self.etag = self.last_modified = self.body_hash = self.error = ""
            self.failures, self.next_poll_at = 0, timezone.now()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def kind(self) -> Literal["feed", "mailbox", "inbound"]:
        """Inbound: a mail provider posts what comes for the address."""
        return _KINDS.get(self.url.partition(":")[0].strip().lower(), "feed")

    @property
    def webhook_url(self) -> str:
        """Where the provider posts the mails of an inbound source: it cannot sign them, so the address is the secret."""
        if self.kind != "inbound" or not self.pk:
            return ""
        return f"{settings.BASE_URL}/webhooks/inbound/{_signer().sign(str(self.pk))}"

    @classmethod
    def with_key(cls, key: str) -> "Source | None":
        """The inbound source whose webhook URL ends in this key."""
        try:
            pk = int(_signer().unsign(key))
        except (BadSignature, ValueError):
            return None
        source = cls.objects.select_related("publication").filter(pk=pk).first()
        return source if source and source.kind == "inbound" else None

    def clean(self) -> None:
        super().clean()
        if self.kind == "feed":
            return
        try:
            parts = urlsplit(self.url)
            is_whole = bool(parts.hostname and parts.username) and (parts.port or 1) > 0
        except ValueError:
            raise ValidationError({"url": "It cannot be read."}) from None
        if self.kind == "mailbox" and parts.password:
            raise ValidationError({"url": "Leave the password out: it stands in NEWSDESK_MAILBOXES."})
        if self.kind == "mailbox" and not is_whole:
            raise ValidationError({"url": "Write a mailbox as imaps://user@host/FOLDER."})
        if self.kind == "inbound" and "@" not in parts.path:
            raise ValidationError({"url": "Write a mail address as mailto:stories@example.com."})
        if not self.senders.strip(" ,"):
            raise ValidationError({"senders": "Say whom mails are taken from."})


class SourceEntry(models.Model):
    """An entry that a poll has seen; it never becomes a story twice, whatever an editor does with the first."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="entries")
    key_hash = models.CharField(max_length=32)
    #: None for what was passed over, or deleted since.
    story = models.ForeignKey(
        "composer.Story", null=True, blank=True, on_delete=models.SET_NULL, related_name="source_entries"
    )
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "source entries"
        constraints = [models.UniqueConstraint(fields=["source", "key_hash"], name="composer_source_entry_once")]

    def __str__(self) -> str:
        return self.key_hash

    @staticmethod
    def hash_of(key: str) -> str:
        return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
