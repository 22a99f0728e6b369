"""The error of a drawing function whose picture cannot be read."""


class Illegible(Exception):
    """A picture that a reader could not read: the sample is given up or drawn again.

    Args:
        reason: stable snake_case code.
    """

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason
