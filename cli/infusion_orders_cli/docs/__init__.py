"""`infusion-orders docs`: the documents that are generated from the code, the rules and the tests."""
