"""Weft: neural networks from tensors to trustworthy training."""
