"""The format of packages, rendered lazily.

`virtual_file` is a list of segments of known size that is read by offset; `filler` makes the bytes of large files and
knows their CRC without producing them; `zip_layout` lays a zip out over both. `manifest`, `documents` and
`new_quiz_documents` are the XML inside.
"""
