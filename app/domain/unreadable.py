"""What stands in the place of something kept that cannot be read: damaged, or sealed with a key not given here.

The same in every language: replacement characters, which no name and no text of ours holds.
"""

UNREADABLE = "\N{REPLACEMENT CHARACTER}" * 3


class Unreadable(str):
    """What a column gives instead. It is shown; nothing writes it down again as if it had been read."""

    __slots__ = ()
