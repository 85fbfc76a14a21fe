"""Changes to a running sandbox, by name and with plain arguments, so that the event log can repeat them."""
