"""Publish and subscribe: between those who make frames and those who use them."""

from server.hub.hub import Hub, Item, Removed, Subscriber
from server.hub.queues import LatestQueue, Pending, Stream

__all__ = ["Hub", "Item", "LatestQueue", "Pending", "Removed", "Stream", "Subscriber"]
