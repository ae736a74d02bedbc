"""The version, written here and nowhere else: meson.build reads it for the package's metadata."""

__version__ = "0.1.0"
