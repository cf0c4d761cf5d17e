"""The domain, pure; `clients` and `settings` are the only doors out."""
