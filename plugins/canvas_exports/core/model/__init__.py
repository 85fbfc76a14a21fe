"""The words that everybody uses: contexts, outcomes, durations, runs. Knows nobody."""
