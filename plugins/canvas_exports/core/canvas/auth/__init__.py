"""Get access tokens of Canvas by OAuth 2."""
