"""The `infusion-orders` command and the local partner API; nothing of it is deployed.

`main` lists every command. `orders` validates orders; `rules` checks, publishes and replays rule sets; `codes` imports
releases of code sets; `operations` looks after a deployed stack; `docs` generates documents. A module of a command
imports only what its options need, and the rest when the command runs, so that `--help` is quick.
"""
