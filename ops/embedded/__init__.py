"""The stack of `make run`: PostgreSQL and Redis from wheels and every process of the shop, under one supervisor."""
