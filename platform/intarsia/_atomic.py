"""Files that are either whole or not there."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, flush it to the disk and move it into place.

    A reader sees the old file or the new one, never half of one; when anything fails, the old file stays
    and the temporary one goes.

    Args:
        path: the file to write; its directory must exist.
        data: the whole content.

    Raises:
        OSError: the directory is missing or not writable, or the disk is full.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode(path))
        os.replace(temporary, path)  # noqa: PTH105 - the one call that tests replace to make writing fail
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _mode(path: Path) -> int:
    """Permissions of the file that is replaced, or what the umask leaves of rw-rw-rw-."""
    if path.exists():
        return path.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
