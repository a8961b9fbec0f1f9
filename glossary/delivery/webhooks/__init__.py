"""Webhooks: who has asked for it is told of changes, after Standard Webhooks 1.0.

``events`` says what is told and puts it into the outbox, in the transaction of the
change; ``outbox`` empties it, by the delays of ``schedule``. ``signing`` proves who
sends, ``addresses`` says where nothing is sent to, ``sending`` makes the one request.
"""
