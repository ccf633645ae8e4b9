"""The program's own health, for Prometheus."""
