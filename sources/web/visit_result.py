"""The result of a visit: what came of one page, or why it gives no capture."""

from dataclasses import dataclass, field

from sources.web.capture import PageContent


class VisitError(Exception):
    """The page gives no capture.

    Args:
        cause: stable snake_case code.
        status: HTTP status; None without a response.
    """

    def __init__(self, cause: str, message: str, status: int | None = None):
        super().__init__(message)
        self.cause, self.message, self.status = cause, message, status


@dataclass
class VisitResult:
    """The result of a visit. `final_url`, `status` and `retry_after` are set as soon as there is a response."""

    final_url: str = ""
    status: int | None = None
    retry_after: str = ""
    links: list[str] = field(default_factory=list)
    canonical: str = ""
    content: PageContent | None = None
