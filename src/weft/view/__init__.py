"""Pictures of a run, and a report of it; a figure is returned, never shown and never kept.

- `style`: one look for all of them
- `curves`: the losses per epoch, with the verdict drawn in
- `confusion`, `boundary`, `weights`: what a model takes for what, where it decides, what it is made of
- `learning_curve`, `setting`, `capacity`, `terms`, `fan`, `folds`, `remedies`, `reliability`: what many models
  show together
- `graph`: the computation behind a tensor
- `caption`: a picture's title, and its findings in words
- `animation`: the boundary, or the fitted curve, as a film
- `page`, `picture`, `report`: one HTML file that opens without a network
"""

from weft.view.animation import animate
from weft.view.boundary import plot_boundary
from weft.view.capacity import plot_capacity
from weft.view.confusion import confusion, plot_confusion
from weft.view.curves import plot_curves
from weft.view.fan import plot_fan
from weft.view.folds import plot_folds
from weft.view.learning_curve import plot_learning_curve
from weft.view.reliability import Reliability, plot_reliability, reliability
from weft.view.remedies import plot_remedies
from weft.view.report import Study, write_report
from weft.view.setting import plot_setting
from weft.view.terms import plot_terms
from weft.view.weights import plot_weights

__all__ = [
    "Reliability",
    "Study",
    "animate",
    "confusion",
    "plot_boundary",
    "plot_capacity",
    "plot_confusion",
    "plot_curves",
    "plot_fan",
    "plot_folds",
    "plot_learning_curve",
    "plot_reliability",
    "plot_remedies",
    "plot_setting",
    "plot_terms",
    "plot_weights",
    "reliability",
    "write_report",
]
