"""A RabbitMQ node for the tests of the broker."""

from tests.rabbitmq import rabbitmq

__all__ = ["rabbitmq"]
