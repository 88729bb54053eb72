"""Whether an endpoint can be a vendor's: what answers on this machine or its network is a dry run, always."""

from __future__ import annotations

import ipaddress
import socket
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["live", "dry-run"]


def mode_of(base: str) -> Mode:
    """``live`` for an https endpoint whose every address is a public one; ``dry-run`` for all else.

    Names are resolved, so that ``127.1``, a decimal address or an entry in the hosts file are what they lead to. A
    name that does not resolve here (behind a proxy) is live; :func:`is_public` then judges who answered.
    """
    parts = urlsplit(base)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme != "https" or host == "localhost" or host.endswith(".localhost"):
        return "dry-run"
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        found = set()
    return "live" if all(map(is_public, found)) else "dry-run"


def is_public(address: str) -> bool:
    """Whether the internet routes an IP address: it is neither loopback nor private, link-local or unspecified."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_global)
