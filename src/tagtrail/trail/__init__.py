"""The append-only log: the one choreography over ledger, store and witness."""
