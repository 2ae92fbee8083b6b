"""What is wrong with a data file, in one sentence."""


class BadFile(ValueError):
    """Names the file, the key, what was read and what is expected."""

    def __init__(self, file: str, key: str, read: object, expected: str) -> None:
        super().__init__(f"{file}: {key}: read {read!r}, expected {expected}")
        self.key, self.read, self.expected = f"{file}: {key}", repr(read), expected
