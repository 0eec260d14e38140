"""One attempt at the outside: http, process, durable file."""
