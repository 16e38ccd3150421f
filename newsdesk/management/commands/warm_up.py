"""`newsdesk warm-up DOMAIN [--ceilings N…] [--start DATE] [--off]`: daily ceilings for a young sender domain."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management.base import NewsdeskCommand

_SHOWN = 60


class Command(NewsdeskCommand):
    help = "Raise a young sender domain's volume day by day, or show how far it is."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("domain", metavar="DOMAIN", help="the domain of the From address, such as news.example.com")
        parser.add_argument(
            "--ceilings", metavar="N", type=int, nargs="+", help="most recipients on the first day, the second, …"
        )
        parser.add_argument("--start", metavar="DATE", help="the first day, in UTC; default: today")
        parser.add_argument("--suggested", action="store_true", help="a usual growth: 50, 100, 500, …")
        parser.add_argument("--off", action="store_true", help="end it: no ceiling any more")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.models import WarmUp
        from tasks.throttling import warm_up

        domain = str(options["domain"]).strip().lower().rstrip(".")
        if "@" in domain or "." not in domain or " " in domain:
            raise InputError(f"DOMAIN: {domain!r} is not a domain such as news.example.com")
        ceilings = warm_up.SUGGESTED if options["suggested"] else tuple(options["ceilings"] or ())
        if (options["suggested"] and options["ceilings"]) or (options["off"] and ceilings):
            raise InputError("--ceilings, --suggested and --off: choose one of them")
        if any(ceiling < 1 for ceiling in ceilings):
            raise InputError("--ceilings: each is at least 1")
        if options["start"] and not ceilings:
            raise InputError("--start: it needs --ceilings or --suggested")
        if ceilings:
            warm_up.change(domain, starts_on=_day(options["start"]), ceilings=ceilings)
        elif options["off"]:
            warm_up.change(domain, starts_on=None, ceilings=())
        planned = WarmUp.objects.filter(pk=domain).first()
        if planned is None:
            self.report({"domain": domain, "ceilings": []}, f"{domain} has no ceilings")
            return
        today = datetime.now(UTC).date()
        ceiling = warm_up.ceiling_on(today, starts_on=planned.starts_on, ceilings=planned.ceilings)
        used = warm_up.used_on(domain, today)
        report = {
            "domain": domain,
            "starts_on": planned.starts_on.isoformat(),
            "ceilings": planned.ceilings,
            "today": {"day": today.isoformat(), "ceiling": ceiling, "used": used},
        }
        lines = [f"{domain} warms up from {planned.starts_on}", _today(used, ceiling)]
        for position, number in enumerate(planned.ceilings[:_SHOWN]):
            day = planned.starts_on + timedelta(days=position)
            lines.append(f"  {day}  {number:>11,}{'  today' if day == today else ''}")
        self.report(report, "\n".join(lines))


def _today(used: int, ceiling: int | None) -> str:
    return (
        f"today {used:,} of {ceiling:,}" if ceiling is not None else f"today {used:,}; it is warm: there is no ceiling"
    )


def _day(text: str | None) -> date:
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--start: {text!r} is not a date such as 2026-12-04") from error
