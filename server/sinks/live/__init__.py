"""Live delivery: frames from the hub to browsers over one WebSocket each."""
