"""Where data goes. A sink knows no source and no other sink: they meet through `core.ports`."""
