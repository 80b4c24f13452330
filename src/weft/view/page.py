"""The HTML of a report: small functions from values to escaped text, and one style sheet."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence

MOST_ROWS = 60
"""A longer history is thinned to this many rows; the best epoch and the last are always among them."""

CSS = """
:root { color-scheme: light; --ink: #1d1d1f; --soft: #55555a; --paper: #ffffff; --card: #f5f5f7;
  --line: #d8d8dc; --accent: #0060a0; --bad: #a04400; --good: #00694a; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 54rem; padding: 1.2rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; }
.verdict { background: var(--card); border-left: 6px solid var(--accent); border-radius: 8px; padding: 1rem 1.2rem; }
.verdict.bad { border-color: var(--bad); } .verdict.good { border-color: var(--good); }
.verdict h2 { border: 0; padding: 0; margin: 0 0 .3rem; font-size: 1.4rem; }
.soft { color: var(--soft); font-size: .9rem; }
ol, ul { margin: .3rem 0; padding-left: 1.5rem; } li { margin: .2rem 0; }
table { border-collapse: collapse; font-size: .92rem; width: 100%; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
.history td, .history th { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.history tr.best > * { font-weight: 700; color: var(--accent); }
.cells td { font-variant-numeric: tabular-nums; }
.pairs th { font-weight: 400; color: var(--soft); width: 45%; }
.numbers { columns: 20rem; column-gap: 2rem; margin: .4rem 0; font-size: .92rem; }
.numbers div { display: flex; justify-content: space-between; gap: 1rem; padding: .2rem 0;
  border-bottom: 1px solid var(--line); break-inside: avoid; }
.numbers dt { color: var(--soft); } .numbers dd { margin: 0; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
pre { background: var(--card); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; overflow-wrap: normal;
  font: 13px/1.45 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
figure { margin: 1rem 0; } figcaption { color: var(--soft); font-size: .9rem; }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 8px; }
@media print { :root { --ink: #000; --soft: #333; --card: #f5f5f5; --line: #bbb; }
  @page { margin: 16mm; } body { max-width: none; font-size: 11pt; padding: 0; }
  h2, h3 { break-after: avoid; } figure, tr, li, .verdict { break-inside: avoid; }
  thead { display: table-header-group; }
  pre { white-space: pre-wrap; } .wide { overflow: visible; } .history { font-size: 8.5pt; } img { max-height: 22cm; } }
"""


def document(title: str, body: Iterable[str]) -> str:
    """A whole page: no script, nothing loaded from anywhere."""
    name = html.escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(title: str, *content: str) -> str:
    return f"<section>\n<h2>{html.escape(title)}</h2>\n" + "\n".join(content) + "\n</section>"


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """A table of names and values; a value of more than 2000 characters is cut and says so.

    >>> print(pairs([("loss", "a < b")]))
    <table class="pairs">
    <tr><th scope="row">loss</th><td>a &lt; b</td></tr>
    </table>
    """
    lines = [
        f'<tr><th scope="row">{html.escape(str(k))}</th><td>{html.escape(cut(str(v), 2000))}</td></tr>' for k, v in rows
    ]
    return '<table class="pairs">\n' + "\n".join(lines) + "\n</table>"


def quantities(numbers: Mapping[str, float]) -> str:
    """Names and numbers in as many columns as the page is wide."""
    lines = [
        f"<div><dt>{html.escape(name.replace('_', ' '))}</dt><dd>{cell(value)}</dd></div>"
        for name, value in numbers.items()
    ]
    return '<dl class="numbers">\n' + "\n".join(lines) + "\n</dl>"


def numbered(items: Iterable[str]) -> str:
    return "<ol>\n" + "\n".join(f"<li>{html.escape(item)}</li>" for item in items) + "\n</ol>"


def listed(items: Iterable[str]) -> str:
    """A list without an order."""
    return "<ul>\n" + "\n".join(f"<li>{html.escape(cut(item, 2000))}</li>" for item in items) + "\n</ul>"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row names its columns, and whose first column names its rows.

    >>> print(table([("row", "loss"), ("7", "2.5")]))
    <div class="wide"><table class="cells">
    <thead><tr><th scope="col">row</th><th scope="col">loss</th></tr></thead>
    <tr><th scope="row">7</th><td>2.5</td></tr>
    </table></div>
    """
    head, *rest = [[html.escape(cut(str(value), 200)) for value in row] for row in rows]
    lines = ["<thead><tr>" + "".join(f'<th scope="col">{name}</th>' for name in head) + "</tr></thead>"]
    lines += [
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{value}</td>" for value in others) + "</tr>"
        for first, *others in rest
    ]
    return '<div class="wide"><table class="cells">\n' + "\n".join(lines) + "\n</table></div>"


def history_table(history: Mapping[str, Sequence[float | None]], best_epoch: int) -> str:
    """The history by epoch, counted from 1; a missing value is an empty cell."""
    length = max((len(values) for values in history.values()), default=0)
    if not length:
        return "<p>No epoch was recorded.</p>"
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in ("epoch", *history))
    lines = [f"<thead><tr>{head}</tr></thead>"]
    for epoch in thinned(length, best_epoch):
        cells = "".join(f"<td>{cell(v[epoch - 1]) if epoch <= len(v) else ''}</td>" for v in history.values())
        best = ' class="best"' if epoch == best_epoch else ""
        lines.append(f'<tr{best}><th scope="row">{epoch}</th>{cells}</tr>')
    return '<div class="wide"><table class="history">\n' + "\n".join(lines) + "\n</table></div>"


def thinned(length: int, best_epoch: int, most: int = MOST_ROWS) -> list[int]:
    """At most ``most`` epochs of 1 to length, evenly spaced, the first, the best and the last among them.

    >>> thinned(10, best_epoch=6, most=4)
    [1, 5, 6, 10]
    """
    if length <= most:
        return list(range(1, length + 1))
    keep = {1 + round(i * (length - 1) / (most - 2)) for i in range(most - 1)}
    return sorted(keep | ({best_epoch} if 1 <= best_epoch <= length else set()))


def cell(value: float | None) -> str:
    """A number of the history; NaN and None, not measured or not a number, are told apart.

    >>> cell(0.123456), cell(None), cell(float("nan")), cell(12)
    ('0.12346', '', 'NaN', '12')
    """
    if value is None:
        return ""
    return "NaN" if math.isnan(value) else f"{value:.5g}"


def cut(text: str, most: int) -> str:
    """The text, or its beginning and the number of characters left out."""
    return text if len(text) <= most else f"{text[:most]}\n… ({len(text) - most} more characters)"
