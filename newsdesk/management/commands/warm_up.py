"""`newsdesk warm-up DOMAIN [--ceilings N…] [--editions N…] [--start DATE] [--off]`: ceilings for a young sender domain."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from tasks.models import WarmUp

_SHOWN = 60


class Command(NewsdeskCommand):
    help = "Raise a young sender domain's volume day by day or edition by edition, or show how far it is."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("domain", metavar="DOMAIN", help="the domain of the From address, such as news.example.com")
        parser.add_argument(
            "--ceilings", metavar="N", type=int, nargs="+", help="most recipients on the first day, the second, …"
        )
        parser.add_argument(
            "--editions",
            metavar="N",
            type=int,
            nargs="+",
            help="most readers of the first edition, the second, …; engaged readers first",
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
        editions = tuple(options["editions"] or ())
        if (options["suggested"] and options["ceilings"]) or (options["off"] and (ceilings or editions)):
            raise InputError(
                "--ceilings, --suggested and --off: choose one of them; --editions goes with the first two"
            )
        for option, numbers in (("--ceilings", ceilings), ("--editions", editions)):
            if any(number < 1 for number in numbers):
                raise InputError(f"{option}: each is at least 1")
        if options["start"] and not (ceilings or editions):
            raise InputError("--start: it needs --ceilings, --suggested or --editions")
        if ceilings or editions:
            warm_up.change(domain, starts_on=_day(options["start"]), ceilings=ceilings, editions=editions)
        elif options["off"]:
            warm_up.change(domain, starts_on=None, ceilings=())
        planned = WarmUp.objects.filter(pk=domain).first()
        if planned is None:
            self.report({"domain": domain, "ceilings": []}, f"{domain} has no ceilings")
            return
        report, lines = _by_days(planned)
        if planned.editions:
            gone = warm_up.editions_before(domain, None)
            following = planned.editions[gone] if gone < len(planned.editions) else None
            report["editions"] = {"ceilings": planned.editions, "gone": gone, "next": following}
            lines += _by_editions(planned.editions, gone)
        self.report(report, "\n".join(lines))


def _by_days(planned: "WarmUp") -> tuple[dict[str, Any], list[str]]:
    from tasks.throttling import warm_up

    today = datetime.now(UTC).date()
    ceiling = warm_up.ceiling_on(today, starts_on=planned.starts_on, ceilings=planned.ceilings)
    used = warm_up.used_on(planned.domain, today)
    report = {
        "domain": planned.domain,
        "starts_on": planned.starts_on.isoformat(),
        "ceilings": planned.ceilings,
        "today": {"day": today.isoformat(), "ceiling": ceiling, "used": used},
    }
    lines = [f"{planned.domain} warms up from {planned.starts_on}"]
    if planned.ceilings:
        lines.append(_today(used, ceiling))
    for position, number in enumerate(planned.ceilings[:_SHOWN]):
        day = planned.starts_on + timedelta(days=position)
        lines.append(f"  {day}  {number:>11,}{'  today' if day == today else ''}")
    return report, lines


def _by_editions(editions: list[int], gone: int) -> list[str]:
    lines = [f"{gone:,} of its editions went out" + ("" if gone < len(editions) else "; the next goes to everybody")]
    for position, number in enumerate(editions[:_SHOWN]):
        lines.append(f"  edition {position + 1:<4}{number:>11,}{'  next' if position == gone else ''}")
    return lines


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
