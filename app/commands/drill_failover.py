"""`pumpline drill failover`: an account fails in four ways, the other takes over, and hands back."""

from dataclasses import asdict

import click

from app.clock import system_clock
from app.commands.errors import Failed
from app.commands.printing import AS_JSON, echo_json, echo_table
from app.simulation.failover import Scene, rehearse

HEADINGS = ("first account", "texts", "by first", "by second", "in doubt", "urgent, s", "all, s", "then")


@click.command("failover")
@AS_JSON
def drill_failover(as_json: bool) -> None:
    """Rehearse that an account at the provider fails: the other takes over and hands back, each text goes once.

    The real outbox and Twilio client talk to two carriers on this machine, on a database of the drill's own. Nothing
    of this installation is read or changed, and nothing leaves the machine. Exit 1 where a text was lost or came twice.
    """
    scenes: list[Scene] = []
    found = rehearse(system_clock(), scenes.append)
    if as_json:
        echo_json(asdict(found) | {"kept": found.kept})
    else:
        echo_table(HEADINGS, [_row(scene) for scene in scenes], "nothing was played")
        texts = sum(scene.texts for scene in scenes)
        click.echo(
            f"{texts} texts: {found.lost} lost, {found.twice} twice, {found.unsettled} without an end; "
            + ("texts leave by the first account again" if found.handed_back else "NOT handed back")
        )
    if not found.kept:
        raise Failed("the drill went wrong: this line would not have taken over cleanly")


def _row(scene: Scene) -> tuple[str | int, ...]:
    then = "fails: the second has its texts" if scene.fails_at_end else "well"
    return (
        *(scene.name, scene.texts, scene.by_first, scene.by_second, scene.in_doubt),
        *(f"{scene.urgent_waited:.0f}", f"{scene.waited:.0f}", then),
    )
