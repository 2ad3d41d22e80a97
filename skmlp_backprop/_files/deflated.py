"""Reading from a stream that unpacks as it goes, no more than is asked for."""

# No byte of a deflated stream stands for more bytes than these.
MOST_FROM_A_BYTE = 1032
_CHUNK = 1 << 20


def read_rest(stream, n_bytes):
    """Read to the end of a stream, but not on from one byte more than expected.

    Parameters
    ----------
    stream : binary file
        What to read from.

    n_bytes : int
        How many bytes to expect. Memory grows with what comes, not by this.

    Returns
    -------
    content : bytearray
        As many bytes, less where it ended early, one more where it did not end.
    """
    content = bytearray()
    while len(content) <= n_bytes:
        chunk = stream.read(min(_CHUNK, n_bytes + 1 - len(content)))
        if not chunk:
            break
        content += chunk
    return content
