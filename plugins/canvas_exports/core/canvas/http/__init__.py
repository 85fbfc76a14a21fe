"""One call to Canvas, with retries, rate limit and pages; written once, for both clients."""
