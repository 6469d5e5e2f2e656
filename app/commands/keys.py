"""`pumpline keys`: making keys, and changing them while the line runs."""

import secrets

import click

from app.actions.audit import audit
from app.actions.rotate_keys import LOOK, RESEAL, KeysInUse, keys_in_use
from app.actions.rotate_keys import rotate_keys as reseal
from app.commands.bars import bars
from app.commands.errors import Failed
from app.commands.house import ACTOR, House, opened
from app.commands.printing import AS_JSON, echo_json
from app.db.backup_keys import BackupKeys, new_backup_key
from app.db.crypto import Keyring, key_id
from app.db.sealed import count_rows
from app.db.spool import Spool
from app.keys import (
    FILE,
    add_data_key,
    forget_old_secret_keys,
    keep_only_first,
    keys_for,
    put_in_front,
    renew_secret_key,
)
from app.settings import Settings, load_settings

_LABELS = {RESEAL: "Sealing anew", LOOK: "Checking every value"}
RESTART = "Restart every process of the line"


@click.group()
def keys() -> None:
    """Make keys, and change them while the line runs."""


@keys.command()
def new() -> None:
    """Print new keys as settings. Keep them safe: without the data keys, nothing stored can be read."""
    click.echo(f"PUMPLINE_SECRET_KEY={secrets.token_urlsafe(48)}")
    click.echo(f"PUMPLINE_DATA_KEYS={Keyring.new_key()}")
    backup = new_backup_key()
    click.echo(f"PUMPLINE_BACKUP_KEY={backup}")
    half = BackupKeys.of([backup]).recipients[0]
    click.echo(f"A machine that shall only write backups, and open none, gets PUMPLINE_BACKUP_KEY={half}", err=True)


@keys.command("list")
@AS_JSON
def list_keys(as_json: bool) -> None:
    """Name the data keys in their order; the first seals, all of them open. A name tells nothing of its key."""
    settings = load_settings()
    names = [key_id(key) for key in keys_for(settings).data_keys]
    if as_json:
        echo_json([{"key": name, "seals": place == 0} for place, name in enumerate(names)])
        return
    for place, name in enumerate(names):
        click.echo(f"{name}  {'seals and opens' if place == 0 else 'opens'}")
    click.echo(f"from {_where(settings)}", err=True)


@keys.command()
@click.option("--front", is_flag=True, help="In front at once: where one restart takes in every process.")
def add(front: bool) -> None:
    """Make a data key that opens, behind the others. Kept in keys.json, or printed where the settings name the keys."""
    settings = load_settings()
    if settings.data_keys is None:
        add_data_key(settings, front=front)
        click.echo(f"a new data key stands {'in front' if front else 'behind the others'} in {_where(settings)}")
        then = "pumpline keys rotate" if front else "pumpline keys front"
        click.echo(f"Keep a copy of that file. {RESTART}; then: {then}")
        return
    made = Keyring.new_key()
    click.echo(made)
    click.echo(
        f"Put it {'in front of' if front else 'behind'} the others in PUMPLINE_DATA_KEYS, with a comma between, on "
        f"every machine, and keep a copy elsewhere. {RESTART}. It is named {key_id(made)}.",
        err=True,
    )


@keys.command()
def front() -> None:
    """Let the data key that was added last seal from now on. Every process must have it behind by then."""
    settings = load_settings()
    if settings.data_keys is not None:
        raise Failed("the data keys come from the settings: write the new one first in PUMPLINE_DATA_KEYS, and restart")
    if len(keys_for(settings).data_keys) == 1:
        raise Failed("there is one data key alone: add one with `pumpline keys add`")
    put_in_front(settings)
    click.echo(
        f"{key_id(keys_for(settings).data_keys[0])} seals from the next start on. {RESTART}; then: pumpline keys rotate"
    )


@keys.command()
@AS_JSON
def rotate(as_json: bool) -> None:
    """Seal everything with the first data key, while the line runs; then look at every value.

    May be killed and begun again: what is done is passed over. Exit 1 where an old key goes on sealing, or no key opens
    a value.
    """
    with opened() as house:
        spool = _spool(house)
        total = count_rows(house.db)
        with bars(_LABELS, {RESEAL: total, LOOK: total}) as told:
            done = reseal(house.db, spool, house.now, ACTOR, told)
        if as_json:
            echo_json(_figures(house, done.use) | {"resealed": done.resealed})
        else:
            click.echo(f"{done.resealed:,} values sealed anew; looked at {done.use.values:,}")
            _say(house, done.use)
        _refuse_lost(done.use)
        if done.use.by_old(house.db.keyring):
            raise Failed(
                "an old key still seals: some process was not restarted since the new key was put in front; restart "
                "it, and run `pumpline keys rotate` again"
            )
        if not as_json and len(house.db.keyring.ids) > 1:
            click.echo(
                "No value needs an old key any more; on every machine that has a spool: pumpline keys retire --check"
            )


@keys.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where an old key is still needed.")
def retire(check: bool) -> None:
    """Prove that nothing needs the old data keys, then take them out of keys.json, or say what to take out."""
    with opened() as house:
        ring = house.db.keyring
        with bars(_LABELS, {LOOK: count_rows(house.db)}) as told:
            use = keys_in_use(house.db, _spool(house), told)
        _say(house, use)
        _refuse_lost(use)
        if left := use.by_old(ring):
            raise Failed(f"{left:,} values still need an old key: run `pumpline keys rotate`")
        if len(ring.ids) == 1:
            click.echo("There is no old key.")
            return
        old = ", ".join(ring.ids[1:])
        if check:
            click.echo(f"Nothing in this database, nor in this machine's spool, needs {old}.")
            return
        if house.settings.data_keys is None:
            keep_only_first(house.settings)
            with house.db.begin() as session:
                audit(session, house.now, ACTOR, "data keys retired", "installation:1", keys=list(ring.ids[1:]))
            click.echo(f"{old} taken out of {_where(house.settings)}. {RESTART}.")
        else:
            click.echo(f"Take {old} out of PUMPLINE_DATA_KEYS on every machine: all but the first. {RESTART}.")
        click.echo("Backups made until now need them: keep the old keys, closed away, as long as one of those is kept.")


@keys.command()
@click.option("--retire", "forget", is_flag=True, help="Accept the old ones no more.")
def secret(forget: bool) -> None:
    """Make a new secret key. The old one is accepted, for open forms and known browsers, until it is retired."""
    settings = load_settings()
    if settings.secret_key is None:
        (forget_old_secret_keys if forget else renew_secret_key)(settings)
        said = (
            "the old secret keys are forgotten" if forget else "a new secret key signs, the old one is still accepted"
        )
        click.echo(f"{said}: {settings.instance_dir / FILE}. {RESTART}.")
        return
    if forget:
        click.echo(f"Unset PUMPLINE_OLD_SECRET_KEYS on every machine. {RESTART}.")
        return
    click.echo(secrets.token_urlsafe(48))
    click.echo(
        "On many machines: add it to PUMPLINE_OLD_SECRET_KEYS everywhere and restart one after the other. Then, and "
        "at once on one machine: make it PUMPLINE_SECRET_KEY, the present one PUMPLINE_OLD_SECRET_KEYS, and restart.",
        err=True,
    )


def _figures(house: House, use: KeysInUse) -> dict[str, object]:
    return {
        "keys": [{"key": name, "values": use.by_key[name]} for name in house.db.keyring.ids],
        "lost": use.lost_count,
    }


def _say(house: House, use: KeysInUse) -> None:
    for place, name in enumerate(house.db.keyring.ids):
        click.echo(f"{name}  {use.by_key[name]:,} values{', the first key' if place == 0 else ''}")
    if use.newest_of_old is not None:
        click.echo(f"the newest value of an old key was sealed at {use.newest_of_old:%Y-%m-%d %H:%M:%S} UTC")


def _refuse_lost(use: KeysInUse) -> None:
    if use.lost_count:
        more = f" and {use.lost_count - len(use.lost):,} more" if use.lost_count > len(use.lost) else ""
        raise Failed(
            f"no data key opens {use.lost_count:,} values ({', '.join(use.lost)}{more}): bring back the key they were "
            "sealed with, behind the others, before any key is retired"
        )


def _spool(house: House) -> Spool:
    return Spool(house.settings.instance_dir / "spool", house.db.keyring)


def _where(settings: Settings) -> str:
    return "PUMPLINE_DATA_KEYS" if settings.data_keys is not None else str(settings.instance_dir / FILE)
