"""GraphQL: a part of Canvas's schema, its limits, and what its fields return."""
