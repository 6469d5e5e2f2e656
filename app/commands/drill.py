"""`pumpline drill`: rehearsals, a file each."""

import click

from app.commands.drill_failover import drill_failover
from app.commands.drill_restore import drill_restore


@click.group()
def drill() -> None:
    """Rehearse what one hopes never to need, and leave no trace."""


drill.add_command(drill_failover)
drill.add_command(drill_restore)
