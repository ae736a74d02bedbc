"""Containers of NumPy arrays: opened to compute, and closed again around the result.

Each module has `holds`, whether a value is one of its containers, and `evaluate`, which takes what `_dispatch.evaluate`
takes after the function that computes what is inside.
"""
