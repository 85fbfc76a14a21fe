"""Call Canvas over HTTP: messages, retries, rate limit, credentials and pages, written once for both clients."""
