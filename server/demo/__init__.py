"""The simulated network: what the demo shows, and what tests measure Linewatch against."""
