"""The HTML of a report: small functions from values to escaped text, and one style sheet."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence

MOST_ROWS = 60
"""A longer history is thinned to this many rows; the best epoch and the last are always among them."""

CSS = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #5c5c61; --paper: #ffffff; --card: #f5f5f7;
  --line: #d8d8dc; --accent: #0072b2; --bad: #b04a00; --good: #00734f; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --soft: #a5a5ad; --paper: #17171a; --card: #222226;
  --line: #3a3a40; --accent: #6cbcf0; --bad: #ff9a52; --good: #4fd1a5; } }
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
ol { margin: .3rem 0; padding-left: 1.5rem; } li { margin: .2rem 0; }
table { border-collapse: collapse; font-size: .92rem; width: 100%; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
.history td, .history th { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.history tr.best td { font-weight: 700; color: var(--accent); }
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
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --card: #f5f5f5; --line: #bbb; --accent: #0072b2;
  --bad: #b04a00; --good: #00734f; }
  body { max-width: none; font-size: 11pt; padding: 0; } figure, tr, .verdict { break-inside: avoid; }
  pre { white-space: pre-wrap; } .wide { overflow: visible; } }
"""


def document(title: str, body: Iterable[str]) -> str:
    """A whole page: no script, nothing loaded from anywhere."""
    name = html.escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def section(title: str, *content: str) -> str:
    return f"<section>\n<h2>{html.escape(title)}</h2>\n" + "\n".join(content) + "\n</section>"


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """A table of names and values; a value of more than 2000 characters is cut and says so.

    >>> print(pairs([("loss", "a < b")]))
    <table class="pairs">
    <tr><th>loss</th><td>a &lt; b</td></tr>
    </table>
    """
    lines = [f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(cut(str(v), 2000))}</td></tr>" for k, v in rows]
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


def history_table(history: Mapping[str, Sequence[float | None]], best_epoch: int) -> str:
    """The history by epoch, counted from 1; a missing value is an empty cell."""
    length = max((len(values) for values in history.values()), default=0)
    if not length:
        return "<p>No epoch was recorded.</p>"
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("epoch", *history))
    lines = [f"<tr>{head}</tr>"]
    for epoch in thinned(length, best_epoch):
        cells = "".join(f"<td>{cell(v[epoch - 1]) if epoch <= len(v) else ''}</td>" for v in history.values())
        best = ' class="best"' if epoch == best_epoch else ""
        lines.append(f"<tr{best}><td>{epoch}</td>{cells}</tr>")
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
