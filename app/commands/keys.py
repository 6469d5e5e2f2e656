"""`pumpline keys`: keys for the settings."""

import secrets

import click

from app.db.backup_keys import BackupKeys, new_backup_key
from app.db.crypto import Keyring


@click.group()
def keys() -> None:
    """Make keys for the settings."""


@keys.command()
def new() -> None:
    """Print new keys as settings. Keep them safe: without the data keys, nothing stored can be read."""
    click.echo(f"PUMPLINE_SECRET_KEY={secrets.token_urlsafe(48)}")
    click.echo(f"PUMPLINE_DATA_KEYS={Keyring.new_key()}")
    backup = new_backup_key()
    click.echo(f"PUMPLINE_BACKUP_KEY={backup}")
    half = BackupKeys.of([backup]).recipients[0]
    click.echo(f"A machine that shall only write backups, and open none, gets PUMPLINE_BACKUP_KEY={half}", err=True)
