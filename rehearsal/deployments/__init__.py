"""ARM templates, carried out: the part of the template language that this project's own use."""
