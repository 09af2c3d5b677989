"""The stock handler: what an engineer writes by default with pydantic, Powertools and boto3."""
