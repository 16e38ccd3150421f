"""Which modules are mutated, and which tests must notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Modules, and the tests that are run for each of their mutants; paths from the root."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


def _in(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}.py" for name in names)


GROUPS = {
    "submission": Group(
        _in("tasks/submission", "claiming", "fencing", "outcomes", "partial_outcomes", "posting", "recovery", "retries")
        + _in("tasks/throttling", "back_off", "breaker", "canary", "throttle")
        + _in("tasks/attempts", "moving", "reader_proof")
        + _in("tasks/providers/smtp", "envelopes", "posting", "status_codes"),
        ("tests/tasks/submission", "tests/tasks/providers/smtp", "tests/tasks/throttling"),
    ),
    "reconciliation": Group(
        _in("tasks/reconciliation", "decisions", "doubt_alarms", "probes", "settling", "silence", "silence_conditions")
        + _in("tasks/reconciliation", "activity", "activity_questions")
        + _in("tasks/attempts", "exclusions", "proof"),
        (
            "tests/tasks/reconciliation",
            "tests/tasks/submission/test_interleavings.py",
            "tests/tasks/submission/test_late_proof.py",
        ),
    ),
    "slots": Group(
        _in("tasks/slots", "active_recurrence", "approval_warnings", "missed_slots", "next_draft", "rescheduling")
        + _in("tasks/slots", "slot_outcomes", "slot_rows", "slot_sends", "upkeep")
        + _in("tasks/preparation", "lateness"),
        (
            "tests/tasks/slots",
            "tests/tasks/preparation/test_lateness.py",
            "tests/tasks/approvals/test_reopened_sends.py",
        ),
    ),
    "events": Group(
        _in(
            "tasks/feedback",
            "applying",
            "bot_detection",
            "bounce_mailbox",
            "delivery_reports",
            "effects",
            "engagement",
            "flags",
            "foreign_events",
            "kinds",
            "late_events",
            "unmatched_reports",
        )
        + _in("tasks/providers/sendgrid", "events", "signature")
        + _in("tasks/providers/smtp", "delivery_status", "reports")
        + _in("tasks/mime", "envelope_ids"),
        (
            "tests/tasks/feedback",
            "tests/tasks/providers",
            "tests/tasks/mime/test_envelope_ids.py",
            "tests/tasks/privacy/test_merged_addresses.py",
            "tests/web/test_webhook.py",
        ),
    ),
    "audience": Group(
        _in("tasks/audience", "cutting", "engaged_first", "freezing", "frequency_cap", "left_out_readers", "local_time")
        + _in("tasks/audience", "tracking"),
        ("tests/tasks/audience", "tests/tasks/preparation", "tests/tasks/submission/test_canary.py"),
    ),
    "segments": Group(
        _in(
            "subscribers/segments",
            "comparing",
            "compiling",
            "folding",
            "nesting",
            "parsing",
            "readings",
            "values",
            "words",
        ),
        (
            "tests/subscribers/test_segments_values.py",
            "tests/subscribers/test_segments_folding.py",
            "tests/subscribers/test_segments_compiling.py",
            "tests/subscribers/test_segments_edges.py",
            "tests/subscribers/test_segments_parsing.py",
            "tests/subscribers/test_segments_nesting.py",
            "tests/subscribers/test_segments_in_words.py",
            "tests/subscribers/test_segments_meaning.py",
            "tests/subscribers/test_counting_a_rule.py",
            "tests/subscribers/test_rule_warnings.py",
            "tests/subscribers/test_audience.py",
        ),
    ),
    "tokens": Group(
        _in("subscribers", "tokens", "reader_links"),
        (
            "tests/subscribers/test_tokens.py",
            "tests/web/test_unsubscribe_page.py",
            "tests/web/test_preferences_page.py",
        ),
    ),
    "digests": Group(
        _in(
            "composer/reading",
            "counting",
            "headlines",
            "interpreting",
            "numbers",
            "plain_text",
            "section_headings",
            "story_source",
        )
        + _in("composer/reading", "wrapping"),
        ("tests/composer/reading", "tests/composer/test_digest_parser.py"),
    ),
}
