"""``python -m softjac`` is the command line."""

import sys

from softjac.cli import main

if __name__ == "__main__":
    sys.exit(main())
