"""A stand-in for Stripe's HTTP API, its hosted payment page and its webhooks, for development and tests."""
