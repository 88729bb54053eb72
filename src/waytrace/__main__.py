"""``python -m waytrace``: the command line."""

import sys

from waytrace.cli import main

if __name__ == "__main__":
    sys.exit(main())
