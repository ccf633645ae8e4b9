"""The newest table, values and health of each device; serves `devices` and `interfaces`."""
