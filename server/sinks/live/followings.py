"""The devices that one browser follows, by subscription and by stream."""

from __future__ import annotations

from server.hub import LatestQueue, Pending, Stream
from server.sinks.live.bursts import BurstFollower
from server.sinks.live.fanout import Fanout, Reader
from server.sinks.live.messages import Failure
from server.sinks.live.subscriptions import DeviceFollower, Refused
from server.sinks.live.writer import Message

Follower = DeviceFollower | BurstFollower


class Followings:
    """State: the followers, by subscription id and by what they follow. What is followed is known to the fan-out."""

    def __init__(self, reader: Reader, fanout: Fanout, queue: LatestQueue) -> None:
        self._reader = reader
        self._fanout = fanout
        self._queue = queue
        self._by_id: dict[int, Follower] = {}
        self._by_stream: dict[Stream, dict[int, Follower]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def begin(self, identity: int, one: Follower) -> list[Message]:
        """Follow from now on; the first messages, or why it cannot be."""
        try:
            first = one.begin()
        except Refused as refused:
            one.end()
            return [refused.failure]
        except Exception:
            one.end()  # a burst may have begun
            raise
        self._by_id[identity] = one
        self._by_stream.setdefault(one.stream, {})[identity] = one
        self._fanout.follow(one.stream, self._reader)
        return first

    def drop(self, identity: int) -> None:
        """End this subscription, if there is one."""
        one = self._by_id.pop(identity, None)
        if one is None:
            return
        one.end()
        stream = device, burst = one.stream
        del self._by_stream[stream][identity]
        if not self._by_stream[stream]:
            del self._by_stream[stream]
            self._fanout.leave(stream, self._reader)
            self._queue.forget(stream)
            if (device, not burst) not in self._by_stream:
                self._queue.forget_device(device)

    def end(self) -> None:
        """End all."""
        for identity in list(self._by_id):
            self.drop(identity)

    def messages(self, pending: Pending) -> list[Message]:
        """What is to be told of it, in the order removed, state, frame."""
        messages: list[Message] = []
        for device in pending.removed:
            text = f"{device} was removed from the configuration"
            for identity, _ in self._of_device(device):
                self.drop(identity)
                messages.append(Failure(identity, "unknown_device", text))
        for device in pending.statuses:
            for _, one in self._of_device(device):
                messages += one.status()
        for stream, (frame, missed) in pending.frames.items():
            for identity, one in tuple(self._by_stream.get(stream, {}).items()):
                try:
                    messages += one.frame(frame, missed)
                except Refused as refused:
                    self.drop(identity)
                    messages.append(refused.failure)
        return messages

    def _of_device(self, device: str) -> list[tuple[int, Follower]]:
        """Its subscriptions, bursts included."""
        streams = (self._by_stream.get((device, burst), {}) for burst in (False, True))
        return [found for followers in streams for found in followers.items()]
