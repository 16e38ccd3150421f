"""A mutant's functions in the place of the loaded module's, without importing anything anew. Pure but for `swap`."""

import gc
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

#: What the compiler makes functions of that run where they stand.
_AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")

Key = tuple[str, int]


def is_swappable(before: str, after: str) -> bool:
    """Whether the two differ inside functions alone: not in constants, defaults, classes, decorators."""
    old, new = _compiled(before, "m"), _compiled(after, "m")
    keys = [key for key, _ in _functions(old)]
    return _shell(old) == _shell(new) and keys == [key for key, _ in _functions(new)] and len(set(keys)) == len(keys)


def swap(file: Path, before: str, after: str) -> bool:
    """Give each function that was loaded from the file its mutated code; False where one that differs was not found."""
    old, new = (dict(_functions(_compiled(text, str(file)))) for text in (before, after))
    missing = {key for key in _outermost(_compiled(before, str(file))) if old[key] != new[key]}
    for one in gc.get_objects():
        # Not isinstance: that wakes Django's lazy objects.
        if type(one) is not FunctionType or one.__code__.co_filename != str(file):
            continue
        key = (one.__code__.co_qualname, one.__code__.co_firstlineno)
        code = new.get(key)
        if code is not None and len(code.co_freevars) == len(one.__code__.co_freevars):
            one.__code__ = code
            missing.discard(key)
    return not missing


def _compiled(text: str, name: str) -> CodeType:
    return compile(text, name, "exec", dont_inherit=True)


def _outermost(code: CodeType) -> Iterator[Key]:
    """Functions of the module and of its classes, which are made when it is imported."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_flags & inspect.CO_OPTIMIZED:
                if one.co_name not in _AT_ONCE:
                    yield one.co_qualname, one.co_firstlineno
            else:
                yield from _outermost(one)


def _functions(code: CodeType) -> Iterator[tuple[Key, CodeType]]:
    """Functions at any depth."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_flags & inspect.CO_OPTIMIZED and one.co_name not in _AT_ONCE:
                yield (one.co_qualname, one.co_firstlineno), one
            yield from _functions(one)


def _shell(code: CodeType) -> list[Any]:
    """All that runs when the module is imported."""
    parts: list[Any] = [code.co_code, code.co_names]
    for one in code.co_consts:
        if not isinstance(one, CodeType):
            parts.append((type(one), repr(one)))
        elif one.co_flags & inspect.CO_OPTIMIZED and one.co_name not in _AT_ONCE:
            parts.append(one.co_qualname)
        else:
            parts.append(_shell(one))
    return parts
