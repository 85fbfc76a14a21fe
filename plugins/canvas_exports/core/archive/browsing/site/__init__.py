"""The newest copies of many courses as one site of plain HTML, in a folder or a bucket."""
