"""Text for people, which shows itself in a session as it prints."""


class Report(str):
    """A str of some lines whose repr is the lines themselves."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
