"""A year of a clinic under a virtual clock: the real verbs, database and jobs, with simulated people and provider.

Nothing of Pumpline is replaced here. Texts come in through receive_text and go out through the jobs to a Channel of our
own; what reached whom, and what a pump really holds, is kept outside the database, and compared with it at the end.
"""
