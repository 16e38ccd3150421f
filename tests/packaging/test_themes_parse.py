"""Every file of every email theme compiles, uses filters that exist, and names only what it is given."""

from pathlib import Path

import pytest
from jinja2 import StrictUndefined, meta

from composer.rendering import themes
from newsdesk.paths import templates_dir

EMAIL = templates_dir() / "email"
FILES = sorted(EMAIL.rglob("*.j2"))
#: What `composer.rendering.pipeline` hands to the template, and its macros through `import … with context`.
GIVEN = {
    "css",
    "edition",
    "links",
    "non_latin",
    "preheader_padding",
    "publication",
    "start",
    "view",
    "words",
}


def test_there_is_a_theme() -> None:
    assert "digest" in themes.theme_names()
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(EMAIL)))
def test_a_template_compiles_and_names_only_what_it_is_given(file: Path) -> None:
    environment = themes._environment()
    assert environment.undefined is StrictUndefined
    source = file.read_text(encoding="utf-8")
    environment.compile(source, str(file))  # unknown filters and tests are errors here
    parsed = environment.parse(source)
    assert meta.find_undeclared_variables(parsed) <= GIVEN
    for name in meta.find_referenced_templates(parsed):
        assert name is not None
        environment.get_template(name)
