"""What the derivation says: one module a part, each with `blocks(point)`, and the views of the command line."""
