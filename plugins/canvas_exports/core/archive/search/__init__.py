"""Search over the text of archived courses: an index in segments in the archive, and a local database made of it."""
