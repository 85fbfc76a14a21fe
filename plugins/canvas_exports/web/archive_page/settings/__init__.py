"""What the administrator configured: options, archives that the page may open."""
