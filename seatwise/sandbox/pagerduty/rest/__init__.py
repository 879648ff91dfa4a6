"""The REST hosts: what is answered at which address, and to whom."""
