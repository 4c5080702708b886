"""Several relays that are one: what each node of it decides, with what it knows of the others."""
