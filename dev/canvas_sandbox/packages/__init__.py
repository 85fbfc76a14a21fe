"""Packages as Canvas builds them, rendered lazily.

`virtual` is a file that exists only as a list of segments and is read by offset; `filler` makes the bytes of large
files and knows their CRC without producing them; `archive` lays a zip out over both. On top, `cartridge`, `qti` and
`files` say what the three kinds of package hold, and `damage` breaks them on purpose.
"""
