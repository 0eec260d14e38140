"""What people and programs see of a command: events in words, lines and JSON."""
