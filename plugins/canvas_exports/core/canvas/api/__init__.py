"""The endpoints of Canvas's API, their parameters and their answers."""
