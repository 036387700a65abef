"""What predictions must reach, judged by what people did with them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ...models import InvalidValueError
from ..progress import is_share
from .compare import DELETED, UNKNOWN
from .shares import Share, share_told


@dataclass(frozen=True)
class QualityLimits:
    """What predictions must reach. Of few observations the bound decides: a limit is missed only where the
    whole interval is beyond it. What is gone without a known reason counts as deleted.

    :param min_acceptance: smallest share of the judged predictions that people must have kept.
    :param max_deleted: largest share of the judged predictions that people may have deleted without
        redrawing.
    :param min_precision: label -> smallest precision at IoU 0.5.
    :param min_recall: label -> smallest recall at IoU 0.5.
    :param min_ap50: smallest AP50 of boxes, or else of polygons.
    :param min_reviewed: fewest reviewed files; with fewer, no other limit is checked.
    """

    min_acceptance: float | None = None
    max_deleted: float | None = None
    min_precision: Mapping[str, float] = field(default_factory=dict)
    min_recall: Mapping[str, float] = field(default_factory=dict)
    min_ap50: float | None = None
    min_reviewed: int = 1

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> QualityLimits:
        """Return limits from the parameter of a task; a rendered template is text.

        :raises InvalidValueError: with everything that is wrong.
        """
        problems: list[str] = []
        if not isinstance(given, Mapping):
            raise InvalidValueError("limits", [f"must map names of limits to numbers, not {given!r}"])
        known = {each.name for each in fields(cls)}
        unknown = sorted(map(str, given.keys() - known))
        if unknown:
            problems.append(f"unknown: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name in known and value is not None and value != "":
                try:
                    values[name] = _read(name, value)
                except (TypeError, ValueError):
                    problems.append(f"{name} must be a number, or map labels to numbers, not {value!r}")
        limits = cls(**values)
        problems += limits.check()
        if problems:
            raise InvalidValueError("limits", problems)
        return limits

    def check(self) -> list[str]:
        """Return what is wrong with the limits."""
        problems = []
        for name in ("min_acceptance", "max_deleted", "min_ap50"):
            value = getattr(self, name)
            if value is not None and not is_share(value):
                problems.append(f"{name} must be 0 to 1, not {value!r}")
        for name in ("min_precision", "min_recall"):
            for label, value in getattr(self, name).items():
                if not is_share(value):
                    problems.append(f"{name} of {label!r} must be 0 to 1, not {value!r}")
        if (
            isinstance(self.min_reviewed, bool)
            or not isinstance(self.min_reviewed, int)
            or self.min_reviewed < 0
        ):
            problems.append(f"min_reviewed must be a number of files, not {self.min_reviewed!r}")
        return problems

    def too_few(self, figures: Mapping[str, Any]) -> str | None:
        """Return why too little was reviewed to judge; None if there is enough."""
        files = figures["files"]
        if files["reviewed"] >= self.min_reviewed:
            return None
        return (
            f"people have reviewed {files['reviewed']:,} of {files['recorded']:,} files, fewer than "
            f"min_reviewed ({self.min_reviewed:,}): too few to judge the predictions by"
        )

    def missed(self, figures: Mapping[str, Any]) -> list[str]:
        """Return which limits are missed, in words."""
        every = figures["all"]
        found = []
        if self.min_acceptance is not None:
            share = share_told(every["at_worst"]["acceptance"])
            found.append(_too_low(f"acceptance{_unknown_in(every)}", share, self.min_acceptance))
        if self.max_deleted is not None:
            share = share_told(every["at_worst"][DELETED])
            if _is_beyond(share.share, share.low, lambda value: value > self.max_deleted):
                found.append(
                    f"people deleted {share} of the predictions{_unknown_in(every)}, more than max_deleted "
                    f"({self.max_deleted:g})"
                )
        for name, least in (("precision", self.min_precision), ("recall", self.min_recall)):
            for label, limit in least.items():
                told = figures["labels"].get(label)
                if told is None:
                    found.append(f"no prediction has the label {label!r}, whose {name} has a limit")
                else:
                    is_precision = name == "precision"
                    share = share_told((told["at_worst"] if is_precision else told)[name]["0.5"])
                    words = _unknown_in(told) if is_precision else ""
                    found.append(_too_low(f"{name} of {label!r} at IoU 0.5{words}", share, limit))
        if self.min_ap50 is not None:
            ap50 = (every["ap"].get("box") or every["ap"].get("polygon") or {}).get("ap50")
            if ap50 is None:
                found.append(
                    "AP50 has a limit but cannot be computed: predictions need scores, and the extra "
                    "[metrics] must be installed"
                )
            elif ap50 < self.min_ap50:
                found.append(f"AP50 is {ap50:.3f}, below min_ap50 ({self.min_ap50:g})")
        return [each for each in found if each is not None]


def _read(name: str, value: Any) -> Any:
    if name in ("min_precision", "min_recall"):
        return {str(label): float(least) for label, least in dict(value).items()}
    return int(value) if name == "min_reviewed" else float(value)


def _unknown_in(group: Mapping[str, Any]) -> str:
    """Return in words how many of a group count as deleted though nothing tells why they are gone."""
    unknown = group["outcomes"].get(UNKNOWN, 0)
    return f" ({unknown:,} that are gone without a known reason count as deleted)" if unknown else ""


def _is_beyond(share: float | None, bound: float | None, beyond: Any) -> bool:
    value = bound if share is None else share
    return value is not None and bool(beyond(value))


def _too_low(what: str, share: Share, least: float) -> str | None:
    if not _is_beyond(share.share, share.high, lambda value: value < least):
        return None
    return f"{what} is {share}, below the limit of {least:g}"
