"""The rehearsal: an embedded Azure on loopback, against which the app runs unmodified."""
