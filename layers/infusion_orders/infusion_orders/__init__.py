"""Home-infusion orders under a health plan's rules: does an order stand, who is responsible, what is missing, why."""
