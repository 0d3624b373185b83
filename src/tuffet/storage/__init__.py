"""Bytes that stay: files written so that no crash is seen, and stores of named files."""
