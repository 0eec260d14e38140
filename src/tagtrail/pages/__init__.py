"""What people and installers read: facts to HTML, JSON and Atom, byte for byte the same from the same facts."""
