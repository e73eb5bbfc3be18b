"""The small shop for the tests of faults."""

from tests.messaging import broker_kind, broker_port, broker_proxy, broker_redis, rabbitmq, shop, shop_database

__all__ = ["broker_kind", "broker_port", "broker_proxy", "broker_redis", "rabbitmq", "shop", "shop_database"]
