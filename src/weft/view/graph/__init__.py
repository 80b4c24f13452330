"""A computation as a picture: `vertices` collects it, `layering` gives places, `svg` draws them."""
