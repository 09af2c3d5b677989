"""A stock handler: a package of its own, because it is built and started as a function."""
