"""An embedded Azure Functions host: loads an app unmodified and serves its triggers."""
