"""The bytes and the text of single tokens."""

from tokenizers import Tokenizer


def _bytes_of_characters() -> dict[str, int]:
    """Return the byte of every character in a byte-level vocabulary.

    Printable bytes are written as themselves, and the others, in order, as the characters from 256 on (GPT-2's table).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + k): byte for k, byte in enumerate(others)}


BYTES = _bytes_of_characters()


def token_bytes(tokenizer: Tokenizer, token: int) -> bytes:
    """Return the bytes of a token; a token can hold a part of a character. Empty if the tokenizer has no such token."""
    written = tokenizer.id_to_token(token) or ""
    if all(character in BYTES for character in written):
        return bytes(BYTES[character] for character in written)
    return written.encode()


def token_text(raw: bytes) -> str:
    """Return the text of a token's bytes; incomplete characters are written as OpenAI does, `bytes:\\xe2\\x80`."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)
