"""Speed side by side with PyTorch: ``make bench``."""
