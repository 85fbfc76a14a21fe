"""Programs that the demo starts: starting, restarting and ending them; free ports."""
