"""Whom to believe that they are who they say."""

import ssl
from functools import cache

import httpx2


@cache
def trust() -> ssl.SSLContext:
    """The certificates that are believed, read once a process: reading them takes 50 ms and more.

    Nothing in the environment can add to them.
    """
    return httpx2.create_ssl_context(trust_env=False)
