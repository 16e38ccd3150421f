"""No table is forgotten when somebody asks what is held of them."""

import pytest
from django.apps import apps

from tasks.privacy.export import SECTIONS
from tasks.privacy.tables import TABLES, WORDS, Holds

pytestmark = pytest.mark.integration


def test_every_model_has_its_place() -> None:
    """A new model: say in `tasks/privacy/tables.py` whom it can hold; if readers, export and erase it."""
    ours = {model._meta.label for model in apps.get_models(include_auto_created=True)}

    assert set(TABLES) == ours


def test_what_holds_readers_is_exported() -> None:
    shown = {label for labels in SECTIONS.values() for label in labels}

    assert shown == {label for label, holds in TABLES.items() if holds is Holds.READERS}


def test_what_holds_words_is_looked_through() -> None:
    assert {label for label, holds in TABLES.items() if holds is Holds.WORDS} <= set(WORDS)
    for label, columns in WORDS.items():
        assert TABLES[label] in {Holds.WORDS, Holds.READERS}
        assert set(columns) <= {field.column for field in apps.get_model(label)._meta.concrete_fields}


def test_a_column_that_could_hold_a_name_is_not_added_unseen() -> None:
    """Free texts of the tables that are looked through, apart from those in WORDS: none of them has room for an address.

    A new text column of such a model stands here, or in WORDS.
    """
    free: dict[str, set[str]] = {}
    for label, columns in WORDS.items():
        if TABLES[label] is Holds.WORDS:
            fields = apps.get_model(label)._meta.concrete_fields
            texts = {field.column for field in fields if field.get_internal_type() in {"TextField", "JSONField"}}
            texts |= {field.column for field in fields if (getattr(field, "max_length", 0) or 0) >= 200}
            free[label] = texts - set(columns)
    assert {label: sorted(left) for label, left in free.items() if left} == {
        "tasks.Attempt": ["provider_id"],
        "tasks.MailboxDomain": ["name"],
        "tasks.Send": ["excluded", "segment_rule", "sender_domain"],
        "tasks.SuppressionSync": ["found"],
        "tasks.WarmUp": ["ceilings", "domain", "editions"],
        "wagtailcore.ModelLogEntry": ["action", "object_id"],
        "wagtailcore.PageLogEntry": ["action"],
    }
