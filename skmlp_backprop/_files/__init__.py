"""Reading and writing files: what ``datasets`` and the main job are made of."""
