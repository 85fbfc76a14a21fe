"""Tokens of Canvas by OAuth 2."""
