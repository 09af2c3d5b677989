"""What the functions behind the API share: routes, authentication, requests, problems, limits and observability.

`routes` declares every route.  A function gives its handlers and its `resources` to `application.Application`, which
finds the handler of a request, turns every exception into the problem of `problems.problem_of`, and writes one log line
and a few metrics for each request.
"""
