"""What a computation is: specifications, operations, recordings, and gradients from graph to graph."""
