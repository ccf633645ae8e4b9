"""The past. Now: a ring in memory for the live window."""
