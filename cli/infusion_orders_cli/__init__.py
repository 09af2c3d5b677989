"""The `infusion-orders` command: orders validated, the partner API and its table on this machine, generated documents.

One module per command or group of commands; what they import at their top is light, so that `--help` is quick.
"""
