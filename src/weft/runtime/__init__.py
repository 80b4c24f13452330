"""How a recording runs: lowering, the program cache, evaluation, compiled functions, devices."""
