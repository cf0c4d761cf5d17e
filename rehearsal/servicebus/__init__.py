"""Service Bus on loopback: AMQP 1.0 for the unmodified azure-servicebus client.

Emulated: queues and their dead letters, sessions, locks, schedules, deferral, duplicate detection,
expiry. Not emulated: topics, TLS, websockets, access rights, quotas, partitions, forwarding.
"""
