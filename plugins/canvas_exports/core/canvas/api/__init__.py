"""Describe the endpoints of Canvas's API: their parameters, and the objects that they return."""
