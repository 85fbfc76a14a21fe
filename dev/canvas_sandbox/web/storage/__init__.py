"""Files: download links, the storage host and uploads."""
