"""The parts of the command line: words in, logits read, results computed, one renderer a format."""
