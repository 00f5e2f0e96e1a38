"""What stands behind the `?` of an address.

A misspelt parameter would silently ask for something else, and a command's field that stands in the
address instead of the body would silently not count. Invariants: one that a route does not
know is an error that names it.
"""

from http import HTTPStatus

from fastapi import Request

from pointsman.api.problems import Problem


async def only_known(request: Request) -> None:
    """A dependency of a route. Raises Problem 422 for a query parameter that it does not have."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            takes = f"there are {', '.join(known)}" if known else "there are none here"
            text = f"no such query parameter; {takes}"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, field=name[:100])
