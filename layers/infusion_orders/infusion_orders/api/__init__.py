"""What every function at the edge shares: settings, caller, requests, problems and observability.

A function folder holds routes only.  They are registered on `partner_api.PartnerApi`, which answers every failure with
the problem that `problems.problem_of` makes of its exception, and writes one line and a few metrics a request.
"""
