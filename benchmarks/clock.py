"""Timing in turns, so that a machine whose speed drifts drifts for both sides."""

import time


def alternate(contestants, rounds=5, seconds=0.3):
    """The least seconds per call of each function of ``contestants`` ({name: function}), taken in turns.

    Every other round goes backwards: PyTorch's threads wait busily for a while after their work, which slows down
    whoever comes next.
    """
    counts = {}
    for name, run in contestants.items():
        took = []
        for _ in range(5):  # the first ones compile
            started = time.perf_counter()
            run()
            took.append(time.perf_counter() - started)
        counts[name] = max(1, int(seconds / max(min(took), 1e-7)))
    best = dict.fromkeys(contestants, float("inf"))
    for turn in range(rounds):
        for name, run in list(contestants.items())[:: -1 if turn % 2 else 1]:
            started = time.perf_counter()
            for _ in range(counts[name]):
                run()
            best[name] = min(best[name], (time.perf_counter() - started) / counts[name])
    return best


def table(title, rows):
    """Print rows of (what, ours, theirs, wanted ratio), times in seconds per step."""
    print(f"\n{title}\n{'':44}{'weft':>11}{'PyTorch':>11}{'ratio':>8}{'wanted':>8}")
    for what, ours, theirs, wanted in rows:
        ratio = theirs / ours
        mark = "" if ratio >= wanted else "  missed"
        digits = 2 if ours < 1e-5 else 0
        print(
            f"{what:<44}{ours * 1e6:>9.{digits}f}us{theirs * 1e6:>9.{digits}f}us{ratio:>7.2f}x{wanted:>7.2f}x{mark}",
            flush=True,
        )
