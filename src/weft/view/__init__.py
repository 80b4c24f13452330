"""Pictures of a run, and a report of it; a figure is returned, never shown and never kept.

- `style`: one look for all of them
- `curves`: the losses per epoch, with the verdict drawn in
- `confusion`, `boundary`, `weights`: what a model takes for what, where it decides, what it is made of
- `page`, `picture`, `report`: one HTML file that opens without a network
"""

from weft.view.boundary import plot_boundary
from weft.view.confusion import confusion, plot_confusion
from weft.view.curves import plot_curves
from weft.view.report import write_report
from weft.view.weights import plot_weights

__all__ = ["confusion", "plot_boundary", "plot_confusion", "plot_curves", "plot_weights", "write_report"]
