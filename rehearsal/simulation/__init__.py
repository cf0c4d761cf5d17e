"""Simulation: the real orchestrators against a world of virtual time, one seed at a time.

Single-threaded and seeded: the same seed is the same story, event for event. What runs is the
product's own: orchestrations, verdict, permit, the witness's transitions and the slips. What is
modelled is the world's side: what each request of an activity meets, and what it changes.
"""
