"""Common Cartridges and QTI packages: their manifest, documents and references."""
