"""Text from rows of published data and from plain text files, without images."""

from sources.plain_text.source import PlainText as PlainText
