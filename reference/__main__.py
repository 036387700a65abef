"""``python -m reference FOLDER`` writes the pages of the reference there."""

import sys
from pathlib import Path

from .pages import write

write(Path(sys.argv[1]))
