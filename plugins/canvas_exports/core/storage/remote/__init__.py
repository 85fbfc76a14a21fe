"""Archives on file servers, through smart_open."""
