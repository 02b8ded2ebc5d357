"""Makes `support` importable for the tests of every folder."""
