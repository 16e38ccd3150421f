"""What SpamAssassin holds against the message, where it was asked."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem

#: Filters commonly mark from 5 points on.
REFUSED_AT, NOTABLE_AT = 5.0, 1.0


def check(context: CheckContext) -> Iterator[Problem]:
    report = context.facts.spam
    if report is None or report.score < NOTABLE_AT:
        return
    rules = ", ".join(f"{name} {points:g}" for name, points in report.rules) or "no rule named"
    verdict = "filters will keep it from readers" if report.score >= REFUSED_AT else "some filters will hold it back"
    message = f"SpamAssassin gives {report.score:g} points, {verdict}; what it dislikes: {rules}"
    yield Problem(level="warning", code="spam.score", message=message)
