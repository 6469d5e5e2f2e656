"""The documents keep up with the program."""

from tools.check_docs import problems


def test_every_setting_command_column_and_link_is_documented() -> None:
    assert problems() == []
