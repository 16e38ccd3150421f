"""Pictures of numbers as SVG that the server draws: no script, no style, colours from the text around (`currentColor`).

Each says in its title and description what it shows; the table with the same numbers stands beside it on the page.
"""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: Of the coordinate systems: the style sheet scales them to the room there is.
_LINE_WIDTH, _LINE_HEIGHT = 480, 140
_LEFT, _RIGHT, _BOTTOM, _TOP = 44, 20, 22, 10
_BARS_WIDTH, _BARS_HEIGHT = 176, 64
_SPARK_WIDTH, _SPARK_HEIGHT = 240, 48


def line(key: str, values: Sequence[int], *, title: str, description: str, unit: str, span: int) -> SafeString:
    """`values[i]` at place i of `span` (the last of them may be missing still); `unit` names a place: “h”."""
    top = max(values, default=0) or 1
    width, height = _LINE_WIDTH - _LEFT - _RIGHT, _LINE_HEIGHT - _TOP - _BOTTOM
    points = [
        (_LEFT + width * (place + 1) / span, _TOP + height * (1 - value / top)) for place, value in enumerate(values)
    ]
    path = f"M{_LEFT} {_TOP + height}" + "".join(f"L{x:.1f} {y:.1f}" for x, y in points)
    ticks = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle" font-size="11" fill="currentColor">{} {}</text>',
        (
            (f"{_LEFT + width * place / span:.1f}", _LINE_HEIGHT - 6, place, unit)
            for place in range(span // 4, span + 1, span // 4)
        ),
    )
    drawing = format_html(
        '<path d="M{left} {top}V{floor}H{right}" fill="none" stroke="currentColor" stroke-opacity="0.4"/>'
        '<text x="{label}" y="{top_text}" text-anchor="end" font-size="11" fill="currentColor">{most}</text>'
        '<text x="{label}" y="{floor}" text-anchor="end" font-size="11" fill="currentColor">0</text>'
        '{ticks}<path d="{path}" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linejoin="round"/>',
        left=_LEFT,
        top=_TOP,
        floor=_TOP + height,
        right=_LINE_WIDTH - _RIGHT,
        label=_LEFT - 6,
        top_text=_TOP + 8,
        most=f"{max(values, default=0):,}",
        ticks=ticks,
        path=path,
    )
    return _svg(key, (_LINE_WIDTH, _LINE_HEIGHT), title, description, drawing)


def bars(key: str, values: Sequence[float], *, title: str, description: str) -> SafeString:
    """One bar each, on one scale from 0; the last is this edition's: it is filled, those before it are outlined."""
    top = max(values, default=0) or 1
    step = _BARS_WIDTH / max(len(values), 1)
    wide = min(step * 0.7, 24)
    room = _BARS_HEIGHT - 3
    drawn = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" stroke="currentColor" fill="currentColor" fill-opacity="{}"/>',
        (
            (
                f"{step * place + (step - wide) / 2:.1f}",
                f"{1 + room * (1 - value / top):.1f}",
                f"{wide:.1f}",
                f"{room * value / top:.1f}",
                "1" if place == len(values) - 1 else "0.15",
            )
            for place, value in enumerate(values)
        ),
    )
    floor = format_html(
        '<path d="M0 {0}H{1}" stroke="currentColor" stroke-opacity="0.4"/>', _BARS_HEIGHT - 1, _BARS_WIDTH
    )
    return _svg(key, (_BARS_WIDTH, _BARS_HEIGHT), title, description, format_html("{}{}", drawn, floor))


def sparkline(key: str, points: Sequence[tuple[int, int]], *, title: str, description: str) -> SafeString:
    """`(place, value)` from left to right, two or more, between the least and the most of the values; a dot marks the last."""
    places, values = zip(*points, strict=True)
    first, least = places[0], min(values)
    wide, high = (places[-1] - first) or 1, (max(values) - least) or 1
    margin = 4
    drawn = [
        (
            margin + (_SPARK_WIDTH - 2 * margin) * (place - first) / wide,
            _SPARK_HEIGHT - margin - (_SPARK_HEIGHT - 2 * margin) * (value - least) / high,
        )
        for place, value in points
    ]
    drawing = format_html(
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/>'
        '<circle cx="{}" cy="{}" r="3" fill="currentColor"/>',
        " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn),
        f"{drawn[-1][0]:.1f}",
        f"{drawn[-1][1]:.1f}",
    )
    return _svg(key, (_SPARK_WIDTH, _SPARK_HEIGHT), title, description, drawing)


def _svg(key: str, size: tuple[int, int], title: str, description: str, drawing: SafeString) -> SafeString:
    return format_html(
        '<svg class="desk-chart" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{key}-title {key}-desc" '
        'xmlns="http://www.w3.org/2000/svg"><title id="{key}-title">{title}</title>'
        '<desc id="{key}-desc">{description}</desc>{drawing}</svg>',
        w=size[0],
        h=size[1],
        key=key,
        title=title,
        description=description,
        drawing=drawing,
    )
