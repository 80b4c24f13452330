"""Every op, one paragraph each: shape rule, lowering and gradient side by side; one family a file."""
