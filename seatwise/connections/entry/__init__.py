"""The ways in: by a person's consent, an API key or a private app, to a connection that is trusted.

consent, letting_in   what the vendor gives, taken at most once
accounts              whose account it opens, and what becomes of another one's
keeping               written in place of an older grant, once it has proved itself
aside                 put away sealed while somebody chooses
"""
