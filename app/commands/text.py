"""`pumpline text`: the simulator phone in a terminal."""

from uuid import uuid4

import click

from app.actions.receive_text import InboundText, receive_text
from app.commands.house import opened
from app.commands.printing import AS_JSON, echo_json
from app.domain.phone import e164


@click.command()
@click.argument("text")
@click.option("--from", "sender", required=True, metavar="PHONE", help="The phone it comes from, like +16145550142.")
@click.option("--to", "recipient", default="", metavar="PHONE", help="The line texted; the first clinic's otherwise.")
@AS_JSON
def text(text: str, sender: str, recipient: str, as_json: bool) -> None:
    """Text the line as a patient would (simulator only).

    Prints the answers, then why they were given. It goes the same way as a text that arrives from a carrier.
    """
    try:
        number = e164(sender)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--from") from error
    with opened() as house:
        house.simulator_only("`pumpline text`")
        inbound = InboundText(
            provider_id=f"SIM{uuid4().hex}", sender=number, recipient=recipient, body=text, channel="simulator"
        )
        received = receive_text(house.line, inbound, house.now)
    replies = [reply.body for reply in received.replies]
    if as_json:
        echo_json({"id": received.inbound_id, "replies": replies, "why": list(received.trace)})
        return
    for reply in replies:
        click.echo(reply)
        click.echo()
    if not replies:
        click.echo("(no answer)\n")
    for reason in received.trace:
        click.echo(f"why: {reason}")
