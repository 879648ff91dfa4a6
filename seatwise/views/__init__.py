"""Pages and htmx fragments: they ask the models, call the verbs and render."""
