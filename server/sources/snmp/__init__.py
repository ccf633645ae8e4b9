"""Polls IF-MIB (RFC 2863) of network devices by SNMP, and emits raw readings, health and events."""
