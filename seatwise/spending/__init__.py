"""What services cost: contracts, history and invoices put together, month by month."""
