"""Logs without keys, and OpenTelemetry spans."""
