"""One module for each command: parse, call a workflow, print."""
