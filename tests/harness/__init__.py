"""Real servers and programs for the tests: started here, reached on loopback, ended by their handles."""
