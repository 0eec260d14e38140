"""The only judge: proofs, tag and approval signatures, without I/O; the code that strangers must trust."""
