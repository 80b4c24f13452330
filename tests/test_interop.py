"""Another library arrives: Weft follows, and where it cannot, the library is there all the same."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from weft.interop.arrival import when_imported


def test_a_version_that_weft_does_not_know_can_be_imported_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "strange_library.py").write_text("VALUE = 7\n")
    (tmp_path / "strange_follower.py").write_text("from strange_library import moved_elsewhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    when_imported("strange_library", "strange_follower")
    with pytest.warns(UserWarning, match="this version of strange_library does not know Weft's tensors"):
        assert importlib.import_module("strange_library").VALUE == 7
    del sys.modules["strange_library"]
