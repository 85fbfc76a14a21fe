"""The values of all layers: contexts, export types, outcomes, proof levels, runs, durations, back-off."""
