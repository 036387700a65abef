"""Where the vendor's documentation differs from the observed server (server.md 6)."""

from __future__ import annotations

from typing import Any


def printed_compound(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of new-compound as documented: Python's None, True and False in quotes."""
    file = {key: value for key, value in answer["file"].items() if key != "ordinal"}
    row = {key: value for key, value in file["input"].items() if key != "parent_input_id"}
    row |= {"status": "success", "total_time": "None"}
    printed: dict[str, Any] = _printed({**answer, "file": {**file, "input": row}})
    return printed


def _printed(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return {key: _printed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_printed(one) for one in value]
    return value
