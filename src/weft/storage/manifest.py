"""What a checkpoint says of itself: its step, the hash of its numbers, and whatever the run noted.

The file is one JSON object that begins with the SHA-256 of all that follows, so a flipped bit anywhere in it is seen
before it is parsed. This envelope is the same in every version of the format.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from weft.errors import FileError
from weft.storage import jsontext
from weft.storage.files import read_plain

KIND, VERSION = "weft.checkpoint", 1
MANIFEST, TENSORS = "manifest.json", "tensors.safetensors"
LARGEST = 2**30  # bytes of a manifest
_FORMAT = re.compile(re.escape(KIND) + r"/([1-9][0-9]{0,8})")
_SEALED = re.compile(rb'\{"sha256": "([0-9a-f]{64})", ')
Fields = dict[str, Any]

# From the fields of a version to those of the next one; the key is the version that is left.
UPGRADES: dict[int, Callable[[Fields], Fields]] = {}


@dataclass(frozen=True)
class Manifest:
    """``serial`` counts the checkpoints of a folder in the order of writing: steps may repeat, as after going back."""

    step: int
    serial: int
    best: bool
    about: dict[str, Any]
    size: int
    sha256: str

    def to_bytes(self) -> bytes:
        """The content of the file."""
        fields = {
            "format": f"{KIND}/{VERSION}",
            "weft": _made_by(),
            "step": self.step,
            "serial": self.serial,
            "best": self.best,
            "files": {TENSORS: {"size": self.size, "sha256": self.sha256}},
            "about": self.about,
        }
        return sealed(jsontext.dump(fields, "the manifest"))


def sealed(text: str) -> bytes:
    """A JSON object, given as text, with the hash of everything after it as its first field."""
    rest = text[1:].encode()
    return b'{"sha256": "' + hashlib.sha256(rest).hexdigest().encode() + b'", ' + rest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a checkpoint's folder; FileError for one that is damaged, foreign or newer than this code."""
    content = read_plain(folder / MANIFEST, LARGEST)
    seal = _SEALED.match(content)
    if seal is None or hashlib.sha256(content[seal.end() :]).hexdigest().encode() != seal[1]:
        raise FileError(
            f"{MANIFEST} does not have the hash that it begins with", expected="a manifest as it was written"
        )
    return _manifest(_upgraded(jsontext.load(b"{" + content[seal.end() :])))


def _upgraded(fields: Any) -> Fields:
    name = fields.get("format") if isinstance(fields, dict) else None
    known = _FORMAT.fullmatch(name) if isinstance(name, str) else None
    if known is None:
        raise FileError(f"{MANIFEST} has the format {name!r}", expected=f"{KIND}/{VERSION}")
    version = int(known[1])
    if version > VERSION:
        maker = f" ({made})" if isinstance(made := fields.get("weft"), str) else ""
        raise FileError(
            f"the checkpoint was made by a newer Weft{maker}: its format is {name}",
            expected=f"at most {KIND}/{VERSION}",
            cure="pip install --upgrade weft",
        )
    for before in range(version, VERSION):
        if before not in UPGRADES:
            raise FileError(f"{MANIFEST} has the format {name}, which is no longer read", expected=f"{KIND}/{VERSION}")
        fields = UPGRADES[before](fields)
    return fields


def _manifest(fields: Fields) -> Manifest:
    files, about, best = (fields.get(name) for name in ("files", "about", "best"))
    if not isinstance(files, dict) or list(files) != [TENSORS] or not isinstance(files[TENSORS], dict):
        raise FileError(f"{MANIFEST} lists the files {files!r}", expected=f"{TENSORS} alone, with size and sha256")
    if not isinstance(about, dict) or not isinstance(best, bool):
        raise FileError(f"{MANIFEST} lacks or garbles about or best", expected="an object, and true or false")
    digest = files[TENSORS].get("sha256")
    if not isinstance(digest, str):
        raise FileError(f"{MANIFEST} has the sha256 {digest!r}", expected="64 hexadecimal digits")
    size = _natural(files[TENSORS], "size")
    return Manifest(_natural(fields, "step"), _natural(fields, "serial"), best, about, size, digest)


def _natural(fields: Fields, name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise FileError(f"{MANIFEST} has {name} {value!r}", expected="a whole number from 0 to 2**63 - 1")
    return value


@cache
def _made_by() -> str:
    try:
        return importlib.metadata.version("weft")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
