"""Untrusted zip files: ``directory`` lists members, ``members`` checks them, ``stored_stream`` and ``unpacking`` read them."""
