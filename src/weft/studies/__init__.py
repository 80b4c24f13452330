"""Studies: experiments with many models, trained together as one program."""

from weft.studies.population import Population
from weft.studies.result import Ensemble, PopulationRun

__all__ = ["Ensemble", "Population", "PopulationRun"]
