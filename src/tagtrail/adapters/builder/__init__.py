"""The port `Builder`: a checkout at an object id, foreign tools run on it, their files taken, checked and kept."""
