"""Editors' own themes: what they can do, what they cannot, and that every fault is named with its line."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from composer.rendering import FaultyThemeError, RenderingError, UnknownThemeError, render, theme_names
from composer.rendering.themes import confinement, open_folder
from composer.rendering.themes.confinement import TooMuchWorkError, bounded
from composer.rendering.themes.environments import environment
from composer.rendering.themes.folder import read
from composer.theme_linting import faults
from newsdesk.core import paths
from tests.composer.editions import every_block
from tests.waiting import LONG

pytestmark = pytest.mark.integration

Edit = Callable[..., Path]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Makes a theme of mine out of the briefing, with a file changed or added; rendering may take its time."""
    monkeypatch.setattr(confinement, "MAX_SECONDS", LONG)
    folder = tmp_path / "themes" / "mine"
    shutil.copytree(paths.templates_dir() / "email" / "briefing", folder)
    monkeypatch.setattr(paths, "_own_themes", [folder.parent])

    def edited(file: str = "", old: str = "", new: str = "") -> Path:
        if file:
            path = folder / file
            text = path.read_text() if path.exists() else ""
            assert old in text
            path.write_text(text.replace(old, new, 1) if old else new + text)
        return folder

    return edited


def said(folder: Path) -> list[str]:
    return [str(fault) for fault in faults(folder)]


def test_a_copy_of_ours_is_a_theme(mine: Edit) -> None:
    folder = mine()

    assert said(folder) == []
    assert "mine" in theme_names()
    assert render(every_block(), theme="mine").html == render(every_block(), theme="briefing").html


def test_a_changed_file_is_read_anew(mine: Edit) -> None:
    assert "#0b5cad" in render(every_block(), theme="mine").html
    mine("theme.toml", "#0b5cad", "#7a1fa2")

    assert "#7a1fa2" in render(every_block(), theme="mine").html


def test_ours_cannot_be_replaced(mine: Edit) -> None:
    folder = mine()
    shutil.copytree(folder, folder.parent / "digest")

    assert render(every_block(), theme="digest").html != render(every_block(), theme="briefing").html


def test_one_with_faults_is_not_used(mine: Edit) -> None:
    mine("edition.mjml.j2", "{{ edition.title }}", "{{ edition.titel }}")

    with pytest.raises(
        FaultyThemeError, match=r"“mine” cannot be used: edition.mjml.j2:13: there is no “.titel”; did you mean “title”"
    ):
        render(every_block(), theme="mine")
    with pytest.raises(UnknownThemeError, match="briefing, digest, magazine, mine"):
        render(every_block(), theme="yours")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{{ ''.__class__.__mro__ }}", "there is no “.__class__”"),
        ("{{ edition['__class__'] }}", "there is no “.__class__”"),
        ("{{ edition | attr('__class__') }}", "“attr” cannot be used"),
        ("{{ cycler.__init__.__globals__.os.popen('id') }}", "“cycler” is not known"),
        ("{{ self._TemplateReference__context }}", "“self” is not known"),
        ("{{ edition.title.format(edition) }}", "there is no “.format”"),
        ("{{ edition.stories.count(1) }}", "only macros can be called"),
        ("{% include '/etc/passwd' %}", "include (import a macro instead) cannot be used"),
        ("{% import '../digest/edition.mjml.j2' as x %}", "there is no template “../digest/edition.mjml.j2”"),
        ("{% import view.brand as x %}", "there is no template “None”"),
        ("{% for i in range(10) %}{% endfor %}", "“range” is not known"),
        ("{{ 'a' * 1000000000 }}", "“*” cannot be used"),
        ("{{ 9 ** 9999999 }}", "“**” cannot be used"),
        ("{{ '%099999999d' % 1 }}", "“%” cannot be used"),
        ("{{ 'a' | center(1000000000) }}", "“center” cannot be used"),
        ("{{ 'a' ~ 'b' }}", "“~” cannot be used"),
        ("{{ edition.title + edition.title }}", "only a number from 0 to 9 can be added"),
        ("{{ edition.title | safe }}", "“safe” cannot be used"),
        ("{% autoescape false %}{{ edition.title }}{% endautoescape %}", "autoescape"),
        ("{% set x %}{{ x }}{% endset %}", "set … endset cannot be used"),
        ("{% macro again() %}{{ again() }}{% endmacro %}", "the macro again calls itself"),
        ("{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}", "the macro b calls itself"),
        ("{% for a in view.entries recursive %}{% endfor %}", "a loop cannot call itself"),
        (
            "{% for a in view.entries %}{% for b in a.level %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
            "loops are nested more than 2 deep",
        ),
        ("{{ edition.title", "expected token 'end of print statement'"),
        ("{% if view.brand %}", "Encountered unknown tag 'endblock'"),
        ("{# <b> #}<script>alert(1)</script>", "“<script” has no place in a mail"),
        ("<img src='x' onerror = 'alert(1)'>", "“onerror =” has no place in a mail"),
        ('<a href=" javascript:alert(1)">', "javascript:” has no place in a mail"),
        ('<mj-include path="/etc/passwd" />', "“<mj-include” has no place in a mail"),
        ('<mj-text padding="0 36px">x</mj-text>', "write 0px, not 0"),
    ],
)
def test_what_a_template_may_not_hold_is_named_with_its_line(mine: Edit, written: str, message: str) -> None:
    folder = mine("edition.mjml.j2", '<div class="top">', f'<div class="top">\n{written}')

    found = said(folder)
    assert any(message in fault for fault in found), found
    assert all(fault.startswith("edition.mjml.j2") for fault in found)
    with pytest.raises(FaultyThemeError):
        render(every_block(), theme="mine")


@pytest.mark.parametrize(
    ("file", "written", "message"),
    [
        ("inline.css", "p { color: var(--colour) }\n", "inline.css:1: there is no --colour; name it in theme.toml"),
        ("inline.css", "p { color: var(colour) }\n", "write var(--name)"),
        ("inline.css", "@import 'x';\n", "inline.css:1: “@import” has no place"),
        ("inline.css", "p { background: url(//x) }\n", "“url(” has no place"),
        ("head.css", "</style><script>x</script>\n", "“<” has no place"),
        ("head.css", "@supports (a) { p { color: red } }\n", "@supports is not read by mail clients"),
        ("head.css", "@media (a) { @media (b) { p { color: red } } }\n", "a rule inside a rule"),
        ("dark.css", "a b c d e f { color: red }\n", "goes through more than 4 elements"),
        ("dark.css", "p { color: red }}\n", "a } without its {"),
        ("theme.toml", "x = \n", "theme.toml:1: not TOML"),
        ("theme.toml", "x = 1\n", "theme.toml:1: “x” is not known"),
    ],
)
def test_what_other_files_may_not_hold_is_named_with_its_line(
    mine: Edit, file: str, written: str, message: str
) -> None:
    assert any(message in fault for fault in said(mine(file, "", written)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('ink = "#14181d"', 'ink = "dark"', "theme.toml:16: ink is not a colour such as #f1eee7"),
        ('ink = "#14181d"', "", "theme.toml:10: the colour ink is missing"),
        ('muted = "#5a636d"', 'muted = "#9a9a9a"', "theme.toml:18: muted on page has contrast 2.8:1, and needs 4.5:1"),
        ("radius = 3", 'radius = "3"', "theme.toml:8: radius is not a number"),
        ('accent = "#0b5cad"', 'accent = "navy"', "theme.toml:5: the accent colour “navy” is not a colour"),
        ('line = "#cfd6de"', 'line = "#cfd6de"\nextra = "#fff"', "“extra” is named in one scheme only"),
    ],
)
def test_theme_toml_is_read_strictly(mine: Edit, old: str, new: str, message: str) -> None:
    found = said(mine("theme.toml", old, new))
    assert any(fault.startswith(message) or message in fault for fault in found), found


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("edition.mjml.j2", '<p class="lede">{{ story.lede }}</p>', "", "a story's lede is not shown"),
        ("edition.mjml.j2", "{{ parts.footer() }}", "", "the postal address is not shown"),
        ("edition.mjml.j2", "{{ parts.headline(entry) }}", "<h2>{{ story.headline }}</h2>", "lacks its anchor"),
        ("edition.mjml.j2", "<h1>{{ edition.title }}</h1>", "<p>{{ edition.title }}</p>", "h1"),
        ("edition.mjml.j2", '<mj-section css-class="card">', "<mj-section><mj-text>", "invalid MJML"),
        (
            "inline.css",
            ".facts { font-size: 13px; line-height: 19px; color: var(--muted)",
            ".facts { color: #bbb",
            "contrast",
        ),
        ("dark.css", ".t .facts, ", "", ""),
    ],
)
def test_what_only_shows_in_the_mail_is_named_too(mine: Edit, file: str, old: str, new: str, message: str) -> None:
    found = said(mine(file, old, new))
    assert any(message in fault for fault in found) if message else not found, found


def test_a_link_out_of_the_folder_is_not_followed(mine: Edit, tmp_path: Path) -> None:
    folder = mine()
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    (folder / "stolen.mjml.j2").symlink_to(secret)

    with pytest.raises(FaultyThemeError, match=r"stolen\.mjml\.j2: it is no ordinary file"):
        read(folder)


def test_too_much_is_not_read(mine: Edit) -> None:
    folder = mine("inline.css", "", "/* long */" * 10_000)
    with pytest.raises(FaultyThemeError, match=r"inline\.css: it is larger than 64 KB"):
        read(folder)

    for number in range(20):
        (folder / f"{number}.mjml.j2").write_text("")
    assert any("at most 16 are read" in fault for fault in said(folder))


@pytest.mark.parametrize(
    "source",
    [
        # Each of these gets past no reading of the file; here they run all the same.
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "{% macro a(x) %}{{ x }}{{ x }}{% endmacro %}" + "{% set t = a('0123456789') %}" + "{% set t = a(t) %}" * 60,
        "{% macro a() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}",
        "".join(f"{{% macro m{n}() %}}{{{{ m{n + 1}() }}}}{{{{ m{n + 1}() }}}}{{% endmacro %}}" for n in range(60))
        + "{% macro m60() %}{% endmacro %}{{ m0() }}",
    ],
)
def test_work_without_end_is_ended(source: str) -> None:
    began = time.monotonic()
    with pytest.raises((TooMuchWorkError, RecursionError)), bounded():
        environment({"x": source}, confined=True).get_template("x").render()
    assert time.monotonic() - began < LONG


def test_work_without_end_by_leave_of_the_rules_is_ended_too(mine: Edit) -> None:
    doubling = "".join(
        f"{{% macro m{n}() %}}{{{{ m{n + 1}() }}}}{{{{ m{n + 1}() }}}}{{% endmacro %}}\n" for n in range(60)
    )
    folder = mine(
        "edition.mjml.j2", "{# The number hangs", doubling + "{% macro m60() %}{% endmacro %}\n{# The number hangs"
    )
    mine("edition.mjml.j2", '<div class="top">', '<div class="top">{{ m0() }}')

    (found,) = said(folder)
    assert "takes more than 20,000 steps" in found


@pytest.mark.parametrize("size", ["2000000", "-2000000"])
@pytest.mark.parametrize("name", ["batch", "slice"])
@pytest.mark.parametrize("written", ["{{% for x in 'a' | {} %}}{{% endfor %}}", "{{{{ 'a' | {} | list | length }}}}"])
def test_nothing_is_worked_out_while_compiling(name: str, size: str, written: str) -> None:
    began = time.monotonic()
    source = written.format(f"{name}({size}, 'x')")
    with pytest.raises(TooMuchWorkError), bounded():
        environment({"x": source}, confined=True).get_template("x").render()
    assert time.monotonic() - began < LONG


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ('<img alt=">" src="x" onerror="alert(1)">', "onerror="),
        ("<img alt='a > b' src=x OnError=alert(1)>", "OnError="),
        ('<meta http-equiv="refresh" content="0;url=https://evil.example">', 'http-equiv="refresh'),
        ("<button formaction=https://evil.example>Go</button>", "formaction="),
        ('<a href="&#106;avascript:alert(1)">Go</a>', '"javascript:'),
        ('<a href="java&#10;script:alert(1)">Go</a>', '"javascript:'),
        ('<a href=" javascript:alert(1)">Go</a>', '"javascript:'),
    ],
)
def test_what_runs_or_leads_away_is_named_with_its_line(mine: Edit, written: str, named: str) -> None:
    folder = mine("edition.mjml.j2", '<div class="top">', f'<div class="top">\n{written}')

    assert any(f"“{named}” has no place in a mail" in fault for fault in said(folder))


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ('<img alt=">" src="x" {{ "on" }}error="alert(1)">', "onerror="),
        ('<meta http-equiv="{{ "re" }}fresh" content="0;url=https://evil.example">', 'http-equiv="refresh"'),
        ('<a href="{{ "java" }}script:alert(1)">Go</a>', 'href="javascript:alert(1)"'),
        ('<!--[if mso]><a href="{{ "java" }}script:alert(1)">Go</a><![endif]-->', 'href="javascript:alert(1)"'),
        ("<b {{ 'form' }}action=\"x\">Go</b>", "formaction="),
    ],
)
def test_what_only_the_output_shows_is_found_there(mine: Edit, written: str, named: str) -> None:
    folder = mine("edition.mjml.j2", '<div class="top">', f'<div class="top">\n{written}')

    (fault,) = said(folder)
    assert f"“{named}” has no place in a mail" in fault


def test_tags_too_deep_for_the_parser_never_reach_it(mine: Edit) -> None:
    folder = mine("edition.mjml.j2", '<div class="top">', '<div class="top">' + "<b>" * 3000 + "</b>" * 3000)

    (found,) = said(folder)
    assert "nested more than 100 deep" in found


def test_what_a_template_makes_is_looked_through_as_well(mine: Edit) -> None:
    folder = mine("edition.mjml.j2", '<div class="top">', '<div class="top"><scr{{ "" }}ipt>x</scr{{ "" }}ipt>')

    (found,) = said(folder)
    assert "“<script” has no place in a mail" in found


def test_an_error_while_rendering_is_placed(mine: Edit) -> None:
    folder = mine("edition.mjml.j2", '<div class="top">', '<div class="top">\n{{ view.entries[0].block.lede.url }}')
    with pytest.raises(RenderingError, match=r"theme mine, edition\.mjml\.j2:\d+: .*has no attribute 'lede'"):
        render(every_block(), theme="mine")
    assert open_folder(folder, "ltr").confined


def test_the_theme_of_the_documentation_works(mine: Edit) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-theme.md").read_text()
    folder = mine()
    for name, language in (("edition.mjml.j2", "jinja"), ("theme.toml", "toml")):
        (code,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
        if name == "theme.toml":  # its dark scheme is left to the reader
            code += "[dark]" + (folder / name).read_text().partition("[dark]")[2]
        (folder / name).write_text(code)
    for name in ("inline.css", "dark.css", "head.css"):
        (folder / name).write_text("")

    assert said(folder) == []
