"""The report of a run: one HTML file that opens anywhere, without a network."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from weft.overfit.diagnosis import Diagnosis
from weft.storage.files import write_atomically
from weft.view import page
from weft.view.picture import embed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE_BYTES = 1_500_000
"""What all pictures together may weigh; the page stays below 2 MB."""

_GOOD = ("good fit", "still improving")


class Study(NamedTuple):
    """A study beside the run: its name, its picture if it has one, and what it says."""

    name: str
    figure: Figure | None
    text: str


def write_report(
    path: str | os.PathLike[str],
    *,
    title: str,
    summary_rows: Sequence[tuple[str, str]],
    history: Mapping[str, Sequence[float]],
    diagnosis: Diagnosis | None,
    model_summary: str,
    figures: Mapping[str, Figure],
    settings: Mapping[str, str],
    notes: Sequence[str] = (),
    descriptions: Mapping[str, str] | None = None,
    hardest: Sequence[Sequence[str]] = (),
    studies: Sequence[Study] = (),
) -> Path:
    """Write the report and return its path: the verdict first, then notes, pictures, settings and the history.

    ``descriptions``  what is to be seen on the pictures, by name, for those who do not see them
    ``hardest``       the validation rows with the largest losses as a table, the names of its columns first

    The file is self-contained (style and pictures inside, no script), dark on white, readable on a phone and on
    paper, and below 2 MB. It appears whole or not at all: written beside its place, flushed, then renamed; a folder
    that does not exist is made. All text is escaped. Raises FileError if it cannot be written there.
    """
    best = 0 if diagnosis is None else diagnosis.best_epoch
    epochs = max((len(values) for values in history.values()), default=0)
    note = f"{page.MOST_ROWS} of {epochs} epochs; " if epochs > page.MOST_ROWS else ""
    count = len(figures) + sum(study.figure is not None for study in studies)
    budget = PICTURE_BYTES // max(count, 1)
    shown = [_picture(name, figure, budget, (descriptions or {}).get(name, name)) for name, figure in figures.items()]
    told = [_study(study, budget) for study in studies]
    body = [
        _verdict(diagnosis),
        page.section("Notes", page.listed(notes)) if notes else "",
        page.section("Summary", page.pairs(summary_rows)),
        page.section("Pictures", *shown) if shown else "",
        page.section("Largest losses", f'<p class="soft">{_LOOK_AT}</p>', page.table(hardest)) if hardest else "",
        page.section("Studies", *told) if told else "",
        page.section("Model", f"<pre>{html.escape(page.cut(model_summary, 30_000))}</pre>"),
        page.section("Settings", page.pairs(settings.items())),
        page.section(
            "History",
            f'<p class="soft">{note}the best epoch is marked; an empty cell was not measured.</p>',
            page.history_table(history, best),
        ),
    ]
    return write_atomically(path, page.document(title, body))


_LOOK_AT = (
    "Validation rows, counted from 0 as in the data that was given: look for wrong labels and broken inputs first."
)


def _verdict(diagnosis: Diagnosis | None) -> str:
    if diagnosis is None:
        return (
            '<section class="verdict"><h2>No diagnosis</h2><p>Without validation data nothing can be said about'
            " overfitting.</p></section>"
        )
    kind = "good" if diagnosis.verdict in _GOOD else "open" if diagnosis.verdict == "cannot tell" else "bad"
    best = f"best epoch: {diagnosis.best_epoch}" if diagnosis.best_epoch else "no epoch with a finite loss"
    speaks = f"confidence: {html.escape(diagnosis.confidence)} · {best} · speaks of epoch {diagnosis.epoch}"
    reason = diagnosis.explanation.removeprefix(f"{diagnosis.verdict}: ")
    parts = (
        f'<section class="verdict {kind}"><h2>{html.escape(diagnosis.verdict.capitalize())}</h2>',
        f"<p>{html.escape(reason)}</p>",
        f'<p class="soft">{speaks}</p></section>',
        "<h3>To try, in this order</h3>",
        page.numbered(diagnosis.remedies),
        "<h3>The numbers behind it</h3>",
        page.quantities(diagnosis.numbers),
    )
    return "\n".join(parts)


def _picture(name: str, figure: Figure, budget: int, description: str) -> str:
    picture = (
        f"<figure>{embed(description, figure, budget)}<figcaption>{html.escape(description)}</figcaption></figure>"
    )
    return f"<h3>{html.escape(name)}</h3>\n{picture}"


def _study(study: Study, budget: int) -> str:
    """The picture of a study, which what it says describes."""
    name, text = html.escape(study.name), f"<pre>{html.escape(page.cut(study.text, 30_000))}</pre>"
    if study.figure is None:
        return f"<h3>{name}</h3>\n{text}"
    alt = f"{study.name}: what it shows is said below the picture"
    return f"<h3>{name}</h3>\n<figure>{embed(alt, study.figure, budget)}</figure>\n{text}"
