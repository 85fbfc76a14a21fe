"""A stored course that opens in a browser: as pages of HTML, from a server or from a folder."""
