"""The values of all layers: contexts, export types, outcomes, proof levels, runs, probes, durations, back-off."""
