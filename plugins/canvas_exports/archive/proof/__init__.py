"""The proof: is this package whole, and is it the one that was asked for?"""
