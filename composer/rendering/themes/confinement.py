"""Templates that editors write: they can lay out what they are given, and nothing else.

Three fences, each of which would do. What a template may be made of is listed here (`faults`), so that it cannot name
what it was not given, call a method, loop over a number or call itself. Jinja's sandbox watches while it runs. And every
loop, call and output is counted, with an end to time, number and size.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, Template, nodes, pass_context
from jinja2.filters import do_batch
from jinja2.filters import sync_do_slice as do_slice
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsdesk.core.errors import InputError

#: For one rendering. The largest edition (60 blocks) needs about a tenth of them.
MAX_STEPS = 20_000
MAX_CHARACTERS = 2_000_000
MAX_SECONDS = 2.0


class TooMuchWorkError(InputError, RuntimeError):
    """A template did more than any edition needs."""


@dataclass(kw_only=True)
class _Budget:
    steps: int = MAX_STEPS
    characters: int = MAX_CHARACTERS
    ends: float

    def spend(self, steps: int = 1, characters: int = 0) -> None:
        self.steps -= steps
        self.characters -= characters
        if self.steps < 0:
            raise TooMuchWorkError(f"the template takes more than {MAX_STEPS:,} steps; is there a loop in a loop?")
        if self.characters < 0:
            raise TooMuchWorkError(f"the template writes more than {MAX_CHARACTERS:,} characters")
        if time.monotonic() > self.ends:
            raise TooMuchWorkError(f"the template takes longer than {MAX_SECONDS:g} seconds")


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Count what confined templates do inside. Raises TooMuchWorkError when it is more than any edition needs."""
    token = _budget.set(_Budget(ends=time.monotonic() + MAX_SECONDS))
    try:
        yield
    finally:
        _budget.reset(token)


def spend(steps: int = 1, characters: int = 0) -> None:
    budget = _budget.get()
    if budget is not None:
        budget.spend(steps, characters)


class ConfinedEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, with every loop, call and import counted."""

    #: Not worked out while compiling, where nothing is counted.
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters |= {"counted": _counted, "batch": _counted_batch, "slice": _counted_slice}

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        for loop in source.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        return super()._generate(source, name, filename, defer_init)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063 - as in Jinja
        spend()
        return super().call(__context, __obj, *args, **kwargs)

    def get_template(self, *args: Any, **kwargs: Any) -> Template:
        spend()
        return super().get_template(*args, **kwargs)


def _counted(items: Iterable[Any]) -> list[Any]:
    listed = list(items)
    spend(len(listed))
    return listed


# With a context they are not worked out while compiling either, where nothing is counted.
@pass_context
def _counted_batch(_context: Context, items: Any, size: int, fill_with: Any = None) -> Iterable[list[Any]]:
    spend(abs(size))
    return do_batch(items, size, fill_with)


@pass_context
def _counted_slice(_context: Context, items: Any, count: int, fill_with: Any = None) -> Iterable[list[Any]]:
    spend(abs(count))
    return do_slice(items, count, fill_with)


#: What a template may be made of.
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem),
    *(nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr),
    *(nodes.If, nodes.For, nodes.Assign, nodes.Macro, nodes.Call, nodes.Keyword, nodes.Import, nodes.FromImport),
    *(nodes.Extends, nodes.Block, nodes.With, nodes.Tuple, nodes.List, nodes.Add, nodes.Sub),
)
FILTERS = frozenset(
    {"batch", "default", "first", "join", "last", "length", "lower", "rejectattr", "rich", "selectattr"}
)
FILTERS |= {"slice", "title", "trim", "upper"}
TESTS = frozenset({"defined", "divisibleby", "equalto", "even", "false", "in", "none", "odd", "true", "undefined"})
_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex", "previtem", "nextitem"})
_MAX_NESTED_LOOPS = 2


@dataclass(frozen=True, kw_only=True)
class AllowedNames:
    """What templates may name."""

    names: frozenset[str]
    attributes: frozenset[str]
    templates: frozenset[str]


LineFault = tuple[int, str]


def faults(environment: Environment, source: str, allowed: AllowedNames) -> Iterator[LineFault]:
    """Line and message of everything in a template that may not be there. Raises jinja2.TemplateSyntaxError."""
    tree = environment.parse(source)
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            yield node.lineno or 0, f"{_words_for(node)} cannot be used in a theme"
    yield from _names(tree, allowed)
    yield from _calls(tree)
    yield from _imports(tree, allowed)
    yield from _loops(tree, 0)
    yield from _sums(tree)


def _names(tree: nodes.Template, allowed: AllowedNames) -> Iterator[LineFault]:
    own = _aliases(tree) | _imported(tree) | {macro.name for macro in tree.find_all(nodes.Macro)}
    own |= {name.name for name in tree.find_all(nodes.Name) if name.ctx in {"store", "param"}}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in own | allowed.names | {"loop", "super"}:
            yield name.lineno, f"“{name.name}” is not known{_guess(name.name, allowed.names | own)}"
    for attribute in tree.find_all(nodes.Getattr):
        yield from _attribute(attribute, attribute.node, attribute.attr, tree, allowed)
    for item in tree.find_all(nodes.Getitem):
        yield from _attribute(item, item.node, getattr(item.arg, "value", None), tree, allowed)
    for chosen in tree.find_all(nodes.Filter):
        yield from _known(chosen, chosen.name, FILTERS)
    for test in tree.find_all(nodes.Test):
        yield from _known(test, test.name, TESTS)


def _attribute(
    at: nodes.Node, of: nodes.Node, key: object, tree: nodes.Template, allowed: AllowedNames
) -> Iterator[LineFault]:
    name = of.name if isinstance(of, nodes.Name) else ""
    if isinstance(key, int) or name in _aliases(tree):
        return
    attributes = _LOOP if name == "loop" else allowed.attributes
    if not isinstance(key, str) or key not in attributes:
        yield at.lineno, f"there is no “.{key}”{_guess(str(key), attributes)}"


def _known(at: nodes.Node, name: str, known: frozenset[str]) -> Iterator[LineFault]:
    if name not in known:
        yield at.lineno, f"“{name}” cannot be used in a theme; known are {', '.join(sorted(known))}"


def _aliases(tree: nodes.Template) -> set[str]:
    """The names templates are imported under."""
    return {node.target for node in tree.find_all(nodes.Import)}


def _imported(tree: nodes.Template) -> set[str]:
    """The macros imported by name."""
    return {
        name[1] if isinstance(name, tuple) else name for node in tree.find_all(nodes.FromImport) for name in node.names
    }


def _calls(tree: nodes.Template) -> Iterator[LineFault]:
    """Only macros are called, and none of them calls itself, in one step or in several."""
    macros = {macro.name: macro for macro in tree.find_all(nodes.Macro)}
    callable_names, aliases = {*macros, *_imported(tree), "super"}, _aliases(tree)
    for call in tree.find_all(nodes.Call):
        what = call.node
        named = isinstance(what, nodes.Name) and what.name in callable_names
        through = isinstance(what, nodes.Getattr) and isinstance(what.node, nodes.Name) and what.node.name in aliases
        if not (named or through):
            yield call.lineno, "only macros can be called"
    calls = {
        name: {call.node.name for call in macro.find_all(nodes.Call) if isinstance(call.node, nodes.Name)}
        for name, macro in macros.items()
    }
    for name, macro in macros.items():
        reached, new = set[str](), calls[name]
        while new:
            reached |= new
            new = set[str]().union(*(calls.get(one, set()) for one in new)) - reached
        if name in reached:
            yield macro.lineno, f"the macro {name} calls itself"


def _imports(tree: nodes.Template, allowed: AllowedNames) -> Iterator[LineFault]:
    """Templates are named outright, and are of the theme or shared by all."""
    wanted: list[tuple[int, nodes.Expr]] = [(node.lineno, node.template) for node in tree.find_all(nodes.Extends)]
    wanted += [(node.lineno, node.template) for node in tree.find_all(nodes.Import)]
    wanted += [(node.lineno, node.template) for node in tree.find_all(nodes.FromImport)]
    for line, template in wanted:
        name = getattr(template, "value", None)
        if not isinstance(name, str) or name not in allowed.templates:
            yield line, f"there is no template “{name}”{_guess(str(name), allowed.templates)}"


def _loops(node: nodes.Node, depth: int) -> Iterator[LineFault]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.For):
            if depth >= _MAX_NESTED_LOOPS:
                yield child.lineno, f"loops are nested more than {_MAX_NESTED_LOOPS} deep"
            if child.recursive:
                yield child.lineno, "a loop cannot call itself"
        yield from _loops(child, depth + isinstance(child, nodes.For))


def _sums(tree: nodes.Template) -> Iterator[LineFault]:
    """A heading may be one level below another; texts are not added, they are written one after the other."""
    for node in tree.find_all((nodes.Add, nodes.Sub)):
        if not any(isinstance(side, nodes.Const) and side.value in range(10) for side in (node.left, node.right)):
            yield node.lineno, "only a number from 0 to 9 can be added; write texts one after the other"


_WORDS: dict[type[nodes.Node], str] = {
    nodes.Concat: "“~”",
    nodes.Include: "include (import a macro instead)",
    nodes.AssignBlock: "set … endset",
    nodes.CallBlock: "call … endcall",
    nodes.FilterBlock: "filter … endfilter",
    nodes.Mul: "“*”",
    nodes.Pow: "“**”",
    nodes.Mod: "“%”",
    nodes.Slice: "a slice",
    nodes.ScopedEvalContextModifier: "autoescape",
    nodes.NSRef: "namespace",
}


def _words_for(node: nodes.Node) -> str:
    return _WORDS.get(type(node), f"“{type(node).__name__.lower()}”")


def _guess(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

    near: Sequence[str] = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean “{near[0]}”?" if near else ""
