"""The commands, one family a module. Each translates, acts through app.actions, and prints."""
