"""Move packages: downloads, random access, uploads."""
