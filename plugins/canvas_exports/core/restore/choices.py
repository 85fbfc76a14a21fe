"""The words that a person may choose for a restore."""

from __future__ import annotations

#: The copy to restore: the newest proven one.
NEWEST = "newest"

#: How Canvas gets the package.
UPLOAD, URL = "upload", "url"

#: When a restore counts as failed: Canvas reported any issue, reported errors, or did not import.
FAIL_ON = ("issues", "errors", "failure")
