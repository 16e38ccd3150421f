"""Every file of every theme that comes with Newsdesk compiles, and passes what an editor's own theme has to pass."""

from pathlib import Path

import pytest
from jinja2 import StrictUndefined, meta

from composer.rendering import themes
from composer.rendering.themes import examination, folder, manifest
from composer.rendering.themes.environments import environment
from newsdesk.core.paths import templates_dir

EMAIL = templates_dir() / "email"
SHIPPED = sorted(path.parent for path in EMAIL.glob("*/edition.mjml.j2"))
SHARED = {f"shared/{file.name}": file.read_text() for file in (EMAIL / "shared").glob("*.j2")}
#: What a theme sets for the document it extends.
SET_BY_THEMES = {"gutter", "size", "leading"}


def test_there_are_three_themes() -> None:
    assert [path.name for path in SHIPPED] == ["briefing", "digest", "magazine"]
    assert SHARED


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_template_compiles_and_names_only_what_it_is_given(name: str) -> None:
    made = environment(SHARED, confined=False)
    assert made.undefined is StrictUndefined
    made.compile(SHARED[name], name)  # unknown filters and tests are errors here
    parsed = made.parse(SHARED[name])
    assert meta.find_undeclared_variables(parsed) <= examination.NAMES | SET_BY_THEMES
    for referenced in meta.find_referenced_templates(parsed):
        assert referenced is not None
        made.get_template(referenced)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_ours_have_none_of_the_faults_looked_for_in_others(path: Path) -> None:
    opened = folder.read(path)
    read, faults = manifest.read(opened.files[folder.MANIFEST])
    made = environment({**SHARED, **opened.templates}, confined=True)

    assert faults == ()
    assert examination.faults(opened, read, made, frozenset(SHARED)) == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_theme_is_a_folder_of_a_few_short_files(path: Path) -> None:
    files = [file for file in path.iterdir() if file.is_file()]

    assert len(files) <= 6
    assert sum(file.read_text().count("\n") for file in files) <= 250
    assert themes.described(path.name).about
