"""Shipped for adapters' authors: in-memory adapters with a fuse, and one conformance suite for each port."""
