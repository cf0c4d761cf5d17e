"""A durable task engine in SQLite: orchestrations survive the kill of their process."""
