"""Faults, tried: real processes, a real database and a carrier that misbehaves; `python -m tests.chaos`.

Everything stays on this machine. Each scenario starts a whole line, lets patients text and reminders fall due while
something is broken on purpose, mends it, waits until all has an end, and counts.
"""
