"""Who asks: the name by which limits tell clients apart."""

from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection

USER = "babelquote.user"
"""The key of an ASGI scope under which the login leaves the user's name."""
LOCAL = "local"
"""The client of a program that talks over standard input."""


def user_of(request: HTTPConnection) -> str | None:
    """The user who is logged in; `None` where no login is required."""
    name = request.scope.get(USER)
    return name if isinstance(name, str) else None


def client_of(request: HTTPConnection) -> str:
    """The name for `Service.ask(client=…)`: the user, or without login the address (of IPv6 its /64 network, since one
    machine has all of it). From Gradio: `client_of(request.request)`."""
    if (name := user_of(request)) is not None:
        return f"user {name}"
    return f"address {_network(request.client.host) if request.client else ''}"


def _network(host: str) -> str:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))
