"""Activities: one request to the world each, one module per kind."""
