"""Pages of the documentation that are written from what the program really holds.

python -m elkwatch.reference docs          write them all (`make docs`)
python -m elkwatch.reference docs --check  say which are out of date; exit code 1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from elkwatch.config.reference import reference as configuration
from elkwatch.reference.classes import classes_page
from elkwatch.reference.errors import errors_page
from elkwatch.reference.fields import fields_page

PAGES: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "fields.md": fields_page,
    "classes.md": classes_page,
    "errors.md": errors_page,
}

__all__ = ["PAGES"]
