"""An instance in its directory: where it lies, its settings and secret keys, and the road wired from them."""
