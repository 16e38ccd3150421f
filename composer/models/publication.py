"""A newsletter with its sender, its address and its weekly slot."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, validate_email
from django.db import models

from composer.brand import MAX_RADIUS, is_font_stack
from composer.colours import is_colour

#: Paths the web server answers itself; a publication's slug is the first part of its archive's address.
RESERVED_SLUGS = frozenset({"desk", "confirm", "u", "p", "webhooks", "api", "healthz", "metrics", "static", "media"})


def validate_timezone(value: str) -> None:
    if value not in zoneinfo.available_timezones():
        raise ValidationError(f"{value!r} is not an IANA timezone such as Asia/Singapore.")


def validate_not_reserved(value: str) -> None:
    if value in RESERVED_SLUGS:
        raise ValidationError(f"{value!r} is an address the server needs itself; choose another slug.")


def validate_accent(value: str) -> None:
    if not is_colour(value):
        raise ValidationError(f"{value!r} is not a colour such as #a3341f.")


def validate_fonts(value: str) -> None:
    if not is_font_stack(value):
        raise ValidationError("List fonts by name; the last is one every reader has, such as serif or sans-serif.")


def validate_test_addresses(value: str) -> None:
    for number, entry in enumerate(value.splitlines(), start=1):
        address = entry.strip()
        if not address:
            continue
        try:
            validate_email(f"somebody{address}" if address.startswith("@") else address)
        except ValidationError:
            raise ValidationError(
                f"Line {number}: {address!r} is neither an address nor a domain such as @example.com."
            ) from None


one_line = RegexValidator(r"^[^\r\n\x00]*\Z", "Write it on one line.")
#: SendGrid refuses names with these two characters (its mail/send reference).
sender_name = RegexValidator(r"^[^;,\r\n\x00]*\Z", "Leave out commas, semicolons and line breaks.")


#: What a publication asks for until somebody words it better.
TRACKING_WORDING = (
    "You may record whether I open these mails and which links in them I follow, to learn what is read. "
    "I can take this back here at any time."
)


class Publication(models.Model):
    class Direction(models.TextChoices):
        LTR = "ltr", "left to right"
        RTL = "rtl", "right to left"

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    slug = models.SlugField(max_length=60, unique=True, validators=[validate_not_reserved])
    title = models.CharField(max_length=120, validators=[one_line])
    tagline = models.CharField(max_length=200, blank=True, validators=[one_line])
    language = models.CharField(max_length=20, default="en", help_text="BCP 47, for example en or zh-Hans.")
    direction = models.CharField(max_length=3, choices=Direction, default=Direction.LTR)
    from_name = models.CharField(max_length=120, validators=[sender_name])
    from_email = models.EmailField(max_length=320)
    reply_to = models.EmailField(max_length=320, blank=True)
    postal_address = models.TextField(
        help_text="The law asks for it in every commercial mail (CAN-SPAM, 15 U.S.C. § 7704(a)(5))."
    )
    website = models.URLField(blank=True)
    theme = models.SlugField(max_length=60, default="digest")
    logo = models.ForeignKey(
        "wagtailimages.Image",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="At the top of every mail, 36 pixels high, on a white plate.",
    )
    accent = models.CharField(
        max_length=7,
        blank=True,
        validators=[validate_accent],
        help_text="Such as #a3341f; empty for the theme's own. Shades that can be read are worked out of it.",
    )
    text_font = models.CharField(
        max_length=200, blank=True, validators=[validate_fonts], help_text="Such as Verdana, sans-serif."
    )
    heading_font = models.CharField(
        max_length=200, blank=True, validators=[validate_fonts], help_text="Such as Georgia, serif."
    )
    radius = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_RADIUS)],
        help_text="Of corners, in pixels; empty for the theme's own.",
    )
    cadence_weekday = models.PositiveSmallIntegerField(
        choices=Weekday, null=True, blank=True, help_text="The day of the weekly slot; empty when there is none."
    )
    cadence_time = models.TimeField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    minimum_stories = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    frequency_cap = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Whoever got this many mails of ours in the days beside is left out; empty for no limit.",
    )
    frequency_days = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(90)], help_text="Days."
    )
    tracking = models.BooleanField(
        default=False, help_text="Ask the provider to report opens and clicks of the readers who agreed to it."
    )
    track_unknown = models.BooleanField(
        "track readers who were never asked",
        default=False,
        help_text="Also report those who neither agreed nor refused. In the EU and the UK the law wants them asked first.",
    )
    tracking_wording = models.CharField(
        "what readers agree to",
        max_length=500,
        default=TRACKING_WORDING,
        help_text="Beside the box on the page of a reader's subscriptions; kept with every answer.",
    )
    sunset_editions = models.PositiveSmallIntegerField(
        "sunset: after how many editions",
        null=True,
        blank=True,
        validators=[MinValueValidator(3), MaxValueValidator(200)],
        help_text="Tracked readers who opened none of so many and followed no link in them are left out, once somebody agrees to "
        "their number; empty for never.",
    )
    sunset_weeks = models.PositiveSmallIntegerField(
        "within so many weeks",
        null=True,
        blank=True,
        validators=[MinValueValidator(4), MaxValueValidator(200)],
        help_text="Weeks.",
    )
    second_approver = models.BooleanField(
        default=False, help_text="Whoever edited an edition last cannot be the one who approves it."
    )

    test_addresses = models.TextField(
        "test mails may also go to",
        blank=True,
        validators=[validate_test_addresses],
        help_text="Addresses, or whole domains as @example.com, one a line. The team's own addresses need not stand here; "
        "publishers may test to any address.",
    )

    class Meta:
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(direction__in=["ltr", "rtl"]), name="composer_publication_direction"
            ),
            models.CheckConstraint(
                condition=models.Q(postal_address__regex=r"\S"),
                name="composer_publication_postal_address",
                violation_error_message="Write the postal address; the law asks for it in every mail.",
            ),
            models.CheckConstraint(
                condition=models.Q(cadence_weekday__isnull=True, cadence_time__isnull=True)
                | models.Q(cadence_weekday__range=(0, 6), cadence_time__isnull=False),
                name="composer_publication_cadence",
                violation_error_message="A weekly slot needs both a day and a time.",
            ),
            models.CheckConstraint(
                condition=models.Q(frequency_cap__isnull=True, frequency_days__isnull=True)
                | models.Q(frequency_cap__gte=1, frequency_days__gte=1),
                name="composer_publication_frequency",
                violation_error_message="A frequency cap needs both a number of mails and a number of days.",
            ),
            models.CheckConstraint(
                condition=models.Q(sunset_editions__isnull=True, sunset_weeks__isnull=True)
                | models.Q(sunset_editions__gte=1, sunset_weeks__gte=1),
                name="composer_publication_sunset",
                violation_error_message="A sunset rule needs both a number of editions and a number of weeks.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def sender(self) -> str:
        return f"{self.from_name} <{self.from_email}>"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The clock on which its times are shown: UTC, and saying so, when this machine does not know its timezone."""
        try:
            return zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return zoneinfo.ZoneInfo("UTC")

    @property
    def has_known_zone(self) -> bool:
        """Whether this machine knows its timezone: zones are renamed, and systems split old names off. If not, its slots wait."""
        return self.zone.key == self.timezone
