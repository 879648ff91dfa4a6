"""The identity host: OAuth, its tokens, and the pages people go through."""
