"""Studies: experiments with many models, trained together as one program."""

from weft.studies.bias_variance import BiasVariance, bias_variance
from weft.studies.comparing import compare
from weft.studies.cross_validation import CrossValidation, cross_validate
from weft.studies.learning_curve import LearningCurve, learning_curve
from weft.studies.population import Population
from weft.studies.prescription import Prescription, prescribe
from weft.studies.result import Ensemble, PopulationRun
from weft.studies.validation_curve import ValidationCurve, validation_curve

__all__ = [
    "BiasVariance",
    "CrossValidation",
    "Ensemble",
    "LearningCurve",
    "Population",
    "PopulationRun",
    "Prescription",
    "ValidationCurve",
    "bias_variance",
    "compare",
    "cross_validate",
    "learning_curve",
    "prescribe",
    "validation_curve",
]
