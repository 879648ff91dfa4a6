"""Watches numbers and tells people, by mail, Slack and webhooks."""
