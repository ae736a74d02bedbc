"""Benchmarks of softjac beside its peers: `python -m benchmarks`, from a clone, with softjac installed."""
