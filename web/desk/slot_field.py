"""An edition's slot as people type it: on its publication's clock, whose name stands beside it."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.utils.timezone import is_naive

from composer.models import Edition, Publication
from tasks.audience import local_time


class SlotField(forms.DateTimeField):
    """Shows and reads a moment on the clock of `zone`; Django would do both on the server's."""

    zone = ZoneInfo("UTC")

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dt.datetime) and not is_naive(value):
            return value.astimezone(self.zone).replace(tzinfo=None)
        return value

    def to_python(self, value: Any) -> dt.datetime | None:
        # Django reads the digits on the server's clock: they are taken, the clock is not.
        read = super().to_python(value)
        if read is None or (isinstance(value, dt.datetime) and not is_naive(value)):
            return read
        typed = read.replace(tzinfo=None)
        if typed.year not in local_time.YEARS:
            raise forms.ValidationError("That year is too far away.")
        if local_time.is_skipped(typed, self.zone):
            raise forms.ValidationError(f"That time does not exist in {self.zone}: the clocks are put forward then.")
        return local_time.moment(typed, self.zone)


def put_on_clock(form: Any) -> None:
    """Replace the form's slot field by one on the clock of the publication that the edition has, or is given."""
    fields = form.fields
    if "slot" not in fields:
        return
    plain = fields["slot"]
    field = SlotField(required=False, label=plain.label, widget=plain.widget)
    publication = _publication(form)
    if publication is not None:
        field.zone = publication.zone
    field.help_text = _help(form.instance, publication, _offered(form))
    fields["slot"] = field


def _publication(form: Any) -> Publication | None:
    edition: Edition = form.instance
    if not edition.pk and form.is_bound:
        chosen = str(form.data.get(form.add_prefix("publication"), ""))
        return _offered(form).filter(pk=chosen).first() if chosen.isascii() and chosen.isdigit() else None
    return edition.publication if edition.publication_id else None


def _offered(form: Any) -> "QuerySet[Publication]":
    """Those that the form lets the person choose."""
    field = form.fields.get("publication")
    return field.queryset if field is not None else Publication.objects.none()


def _help(edition: Edition, publication: Publication | None, offered: "QuerySet[Publication]") -> str:
    if edition.pk and publication is not None:
        return f"When it is meant to go out, on the clock of {publication.zone}."
    zones = dict(offered.order_by("title").values_list("title", "timezone"))
    if len(set(zones.values())) < 2:
        return f"When it is meant to go out, on the clock of {next(iter(zones.values()), 'UTC')}."
    clocks = ", ".join(f"{title} {zone}" for title, zone in zones.items())
    return f"When it is meant to go out, on the publication’s clock: {clocks}."
