"""Parts of the frame that were carried over from the last edition and that nobody has touched or confirmed."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem


def check(context: CheckContext) -> Iterator[Problem]:
    message = "word for word that of the last edition: change it, or say “Keep it” beside it"
    for part in sorted(context.facts.history.untouched):
        yield Problem(level="warning", code="frame.carried_over", message=message, where=part)
