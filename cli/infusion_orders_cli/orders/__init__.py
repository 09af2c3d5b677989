"""`infusion-orders validate`: read orders from a file or a pipe, decide them and print the answers."""
