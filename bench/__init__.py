"""The bench: what this project promises in figures, measured in one run on this machine."""
