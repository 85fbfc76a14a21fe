"""Canvas's REST API and pages: one module for each resource."""
