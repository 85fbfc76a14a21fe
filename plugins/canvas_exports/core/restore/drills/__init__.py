"""Drills: restores of sampled copies into empty courses, compared by counts."""
