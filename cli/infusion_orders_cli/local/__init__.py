"""The partner API and its tables on this machine: the commands `serve` and `dynamodb`, and what tests run on."""
