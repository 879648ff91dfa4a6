"""The one bridge from a pull to the asynchronous connectors."""

from collections import Counter
from collections.abc import Callable
from contextlib import aclosing

from seatwise.connectors.collect import collect
from seatwise.connectors.http import FixedToken
from seatwise.connectors.records import Account, Batch
from seatwise.pull.order import Order


async def read(order: Order, keep: Callable[[Batch], None]) -> Counter[str]:
    """Hands over every batch of what is wanted; the requests made, by endpoint.

    Raises VendorError, and StateRefused for a state that the connector does not go on from.
    """
    account = Account("", "", "", order.base_url, granted_by="", granted_role="")
    opened = order.connector.reader({}, account, FixedToken(order.token))
    async with opened as reader:
        # What was asked ahead is stopped before the reader is closed.
        async with aclosing(collect(reader, order.plan, order.stages)) as batches:
            async for batch in batches:
                keep(batch)
        return reader.requests
