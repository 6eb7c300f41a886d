"""Plots as SVG that stands in a page: no scripts, colours by the page's CSS classes, every mark with a tooltip."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from eval.bootstrap import Estimate
from eval.confidence import Bin, Floats


class Point(NamedTuple):
    """Coordinates in pixels, or 0..1 before `Square.at`."""

    x: float
    y: float


class Square:
    """A plane from 0 to 1 both ways, with its axes."""

    side, left, top, bottom = 300, 62, 12, 44

    def at(self, x: float, y: float) -> Point:
        """Where a point of the plane stands in the picture."""
        return Point(self.left + x * self.side, self.top + (1 - y) * self.side)

    def path(self, points: Sequence[Point], kind: str) -> Markup:
        """A line through points of the plane."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        return Markup('<polyline class="{}" points="{}"/>').format(kind, places)

    def draw(self, label: str, x_axis: str, y_axis: str, *marks: Markup) -> Markup:
        """The picture: grid, axes and marks. `label` is for those who cannot see it."""
        parts = []
        for percent in range(0, 101, 20):
            x, _ = self.at(percent / 100, 0)
            left, y = self.at(0, percent / 100)
            right = left + self.side
            parts += [
                Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(left, right, y, y),
                _text(left - 6, y + 4, f"{percent} %", "tick end"),
                _text(x, self.top + self.side + 16, f"{percent} %", "tick middle"),
            ]
        parts.append(_text(self.left + self.side / 2, self.top + self.side + 36, x_axis, "axis middle"))
        turned = Markup('<text class="axis middle" transform="translate(10 {}) rotate(-90)">{}</text>')
        parts.append(turned.format(self.top + self.side / 2, y_axis))
        return _svg(self.left + self.side + 16, self.top + self.side + self.bottom, label, *parts, *marks)


def language_bars(bars: Mapping[str, Estimate], label: str, *, ticks: Mapping[str, Estimate] | None = None) -> Markup:
    """A bar for each language, by name and in their order, with its 95 % interval; a tick for a second value."""
    row, left, width, top = 26, 92, 360, 6
    bottom = top + row * len(bars)
    parts = []
    for percent in range(0, 101, 20):
        x = left + width * percent / 100
        parts += [
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(x, x, top, bottom),
            _text(x, bottom + 16, f"{percent} %", "tick middle"),
        ]
    for number, (name, bar) in enumerate(bars.items()):
        y, middle = top + row * number, top + row * (number + 0.5)
        low, high, end = (left + width * value for value in (bar.low, bar.high, bar.value))
        tooltip = f"{name}: {_percent(bar.value)} of {bar.count} questions, {_percent(bar.low)} to {_percent(bar.high)}"
        parts += [
            Markup('<g><title>{}</title><rect class="ghost" x="0" y="{}" width="{}" height="{}"/>').format(
                tooltip, y, left + width, row
            ),
            Markup('<rect class="bar" x="{}" y="{}" width="{:.1f}" height="{}" rx="2"/>').format(
                left, y + 5, end - left, row - 10
            ),
            Markup('<path class="whisker" d="M{low:.1f} {y}H{high:.1f}M{low:.1f} {top}v8M{high:.1f} {top}v8"/>').format(
                low=low, high=high, y=middle, top=middle - 4
            ),
            _text(left - 8, middle + 4, name, "name end"),
            _text(left + width + 8, middle + 4, f"{_percent(bar.value)} of {bar.count}", "value"),
        ]
        if ticks:
            at = left + width * ticks[name].value
            parts.append(Markup('<path class="second" d="M{:.1f} {}v{}"/>').format(at, y + 3, row - 6))
        parts.append(Markup("</g>"))
    return _svg(left + width + 78, bottom + 24, label, *parts)


def heat_map(cells: Mapping[tuple[str, str], float], rows: Sequence[str], columns: Sequence[str], label: str) -> Markup:
    """Shares 0..1 by (row, column): the darker the more. Pairs that do not occur stay empty."""
    width, height, left, top = 62, 26, 92, 24
    parts = [_text(left + width * (i + 0.5), top - 8, name, "tick middle") for i, name in enumerate(columns)]
    for j, row in enumerate(rows):
        y = top + height * j
        parts.append(_text(left - 8, y + height / 2 + 4, row, "name end"))
        for i, column in enumerate(columns):
            x = left + width * i
            value = cells.get((row, column))
            if value is None:
                parts.append(_text(x + width / 2, y + height / 2 + 4, "·", "tick middle"))
                continue
            parts += [
                Markup("<g><title>asked in {}, answered in {}: {}</title>").format(row, column, _percent(value)),
                Markup('<rect class="cell" style="--v:{:.0f}%" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
                    100 * value, x + 1, y + 1, width - 2, height - 2
                ),
                _text(x + width / 2, y + height / 2 + 4, _percent(value), "middle"),
                Markup("</g>"),
            ]
    return _svg(left + width * len(columns) + 8, top + height * len(rows) + 4, label, *parts)


def reliability_diagram(bins: Sequence[Bin]) -> Markup:
    """Confidence against accuracy; the larger the dot, the more questions; on the diagonal the confidence is true."""
    square = Square()
    most = max(b.count for b in bins)
    marks = [square.path([Point(0, 0), Point(1, 1)], "ideal")]
    for item in bins:
        x, y = square.at(item.confidence, item.accuracy)
        _, ideal = square.at(item.confidence, item.confidence)
        tooltip = f"{item.count} questions: confidence {_percent(item.confidence)}, right {_percent(item.accuracy)}"
        marks += [
            Markup('<g><title>{}</title><path class="gap" d="M{:.1f} {:.1f}V{:.1f}"/>').format(tooltip, x, y, ideal),
            Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/></g>').format(
                x, y, 4 + 9 * (item.count / most) ** 0.5
            ),
        ]
    return square.draw("reliability diagram", "confidence", "right", *marks)


def risk_coverage_curve(coverage: Floats, risk: Floats, *, ideal: Floats, answered: float) -> Markup:
    """Share of wrong answers against the share of questions answered, surest first.

    `ideal`: the risk if every right answer were surer than every wrong one. `answered`: the coverage that the
    threshold of today gives; it is marked.
    """
    square = Square()
    index = min(range(len(coverage)), key=lambda i: abs(coverage[i] - answered))
    x, y = square.at(coverage[index], risk[index])
    tooltip = f"today: {_percent(answered)} answered, {_percent(risk[index])} of that wrong"
    marks = [
        square.path(list(map(Point, coverage, ideal)), "ideal"),
        square.path(list(map(Point, coverage, risk)), "curve"),
    ]
    if answered:
        marks.append(
            Markup('<g><title>{}</title><circle class="dot" cx="{:.1f}" cy="{:.1f}" r="6"/></g>').format(tooltip, x, y)
        )
    return square.draw("risk-coverage curve", "answered", "wrong of what is answered", *marks)


def _text(x: float, y: float, content: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(kind, x, y, content)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _svg(width: float, height: float, label: str, *parts: Markup) -> Markup:
    return Markup(
        '<svg role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}" style="max-width:{:.0f}px">{}</svg>'
    ).format(label, width, height, width, Markup("").join(parts))
