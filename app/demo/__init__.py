"""The large demo: a fictional clinic of thousands, for trying how the pages feel and how fast they are.

Years of history are drawn and inserted in bulk; the last day is lived by the real verbs and jobs, so that what is open
and what is planned is what they make of it.
"""
