"""Would a test notice if the code were wrong? Mutants of the core, and the tests that must kill them (`make mutants`)."""
