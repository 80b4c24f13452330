"""The layers, a family in each file: modules that keep their arguments and call `weft.nn.functional`."""
