"""Checks a whole prediction set with the models and the live project; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ...client import DiffgramClient
from ...models import InvalidValueError, Packet
from ...models.problems import all_problems, count_of, not_one_of
from ...models.received import without_signatures
from ..check.check import Candidate, Preparation, Target, place_of, validated
from ..check.labels import UNKNOWN_LABELS, UnknownLabels
from ..check.names import name_of
from ..read.paths import PathOpener, universal_path
from ..read.pictures import Pictures
from ..read.storage import hiding_no, lines_to_write, open_to_write
from .counts import Counts
from .limits import Limits
from .page import write_page

_SHOWN_LABELS = 100
_CAUSES = 10


@dataclass(frozen=True)
class Validation:
    """The result of a check.

    :param packets: how many packets there are.
    :param invalid: how many of them Diffgram would refuse, or miss a limit.
    :param instances: how many instances the readable packets have.
    :param mean_score: mean of all scores; None if no instance has one.
    :param labels: label -> number of its instances, the 100 most frequent.
    :param failures: why the set fails; empty if it passes.
    :param causes: what is wrong with packets, similar problems counted as one, the most frequent first.
    """

    packets: int
    invalid: int
    instances: int
    mean_score: float | None
    labels: dict[str, int]
    failures: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return one line for a log."""
        mean = "no score" if self.mean_score is None else f"mean score {self.mean_score:.3f}"
        return (
            f"{count_of(self.packets, 'packet')}, {self.invalid:,} of them invalid; "
            f"{count_of(self.instances, 'instance')} of {count_of(len(self.labels), 'label')}, {mean}"
        )

    def verdict(self) -> str:
        """Return the counts, and whether the set passes, in words."""
        failed = "; ".join(self.failures)
        return f"The set itself {f'fails: {failed}' if failed else 'passes'}. It has {self.summary()}"

    def raise_if_failed(self) -> None:
        """Raise InvalidValueError if the set fails, with the reasons and the first problems."""
        if self.failures:
            first = "; ".join(self.failures) + (f". {self.causes[0]}" if self.causes else "")
            raise InvalidValueError("packets", ["\n".join([first, *self.causes[1:]])])

    def to_xcom(self) -> dict[str, Any]:
        """Return the counts as small JSON."""
        return {
            "packets": self.packets,
            "invalid": self.invalid,
            "instances": self.instances,
            "mean_score": self.mean_score,
            "labels": self.labels,
        }


def validate_packets(
    client: DiffgramClient,
    packets: Iterable[Candidate],
    *,
    dataset: str | int | None,
    label_schema: str | int | None = None,
    unknown_labels: UnknownLabels = "fail",
    limits: Limits | None = None,
    report: str | None = None,
    page: str | None = None,
    valid_packets: str | None = None,
    samples: int = 12,
    run: str | None = None,
    path_of: PathOpener = universal_path,
) -> Validation:
    """Check packets as a push would before it sends the first one; read them once, and send nothing.

    :param client: connected to the project.
    :param packets: packets, or mappings of their fields; any number of them.
    :param dataset: name or id of the dataset that they are meant for.
    :param label_schema: name or id. None means the project's default schema.
    :param unknown_labels: as in a push: an unknown label makes a packet invalid only with ``fail``.
    :param limits: the limits of the set; by default nothing may be invalid.
    :param report: path of a JSON Lines file to write: ``packet``, ``name``, ``valid``, ``instances`` and
        ``problems`` of each packet.
    :param page: path of an HTML page to write: counts, scores, problems, pictures with their instances.
    :param valid_packets: path of a JSON Lines file to write the valid packets to, as a push reads them.
    :param samples: how many pictures the page shows.
    :param run: name of what made the packets, for the page.
    :param path_of: opens the paths of media and files.
    :return: the result, whether the set passes or not.
    :raises InvalidValueError: if an argument is wrong, or a file cannot be written.
    """
    limits = limits or Limits()
    check_arguments(limits, unknown_labels, samples, (report, page, valid_packets), path_of)
    preparation = Preparation(client, Target(dataset, label_schema, unknown_labels), path_of)
    labels = preparation.plan.labels
    counts = Counts(labels.names, samples if page else 0)
    with ExitStack() as stack:
        stack.enter_context(closing(preparation.plan.documents))
        lines = stack.enter_context(lines_to_write("report", report, path_of))
        valid = stack.enter_context(lines_to_write("valid_packets", valid_packets, path_of))
        for number, value in enumerate(packets):
            where = place_of(value, "packet", number)
            (packet,) = validated(Packet, [value], "packet", number)
            if isinstance(packet, list):
                name, problems = _name_of_fields(value), packet
            else:
                name = _name_of(packet)
                problems = preparation.problems_of(packet, where)
                found = [*labels.unknown_in(packet.instances), *limits.problems_of(packet)]
                problems += [f"{where}: {problem}" for problem in found]
            checked = packet if isinstance(packet, Packet) else None
            counts.note(name or where, checked, problems, value)
            if lines is not None:
                lines.write(_line(number, name, checked, problems))
            if valid is not None and checked is not None and not problems:
                body = checked.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=False)
                valid.write(body.encode() + b"\n")
        result = Validation(
            packets=counts.packets,
            invalid=counts.invalid,
            instances=counts.instances,
            mean_score=counts.mean_score,
            labels={name: each.instances for name, each in counts.by_frequency[:_SHOWN_LABELS]},
            failures=[*preparation.problems_of_all(), *limits.problems_of_all(counts)],
            causes=counts.causes(_CAUSES),
        )
        with hiding_no(result.verdict()):
            stack.close()
            with open_to_write("page", page, path_of) as file, closing(Pictures(client, path_of)) as pictures:
                if file is not None:
                    write_page(
                        file,
                        project=client.project,
                        counts=counts,
                        failures=result.failures,
                        picture_of=pictures.of,
                        facts=_facts(dataset, run),
                        remedies=limits.remedies(counts),
                    )
    return result


def _facts(dataset: str | int | None, run: str | None) -> list[str]:
    """Return what the page says about a set at its top."""
    told = ["the default dataset" if dataset is None else f"dataset {dataset}"]
    told += [f"run {run}"] if run else []
    return [*told, f"checked {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"]


def check_arguments(
    limits: Limits, unknown_labels: str, samples: int, written: Iterable[str | None], path_of: PathOpener
) -> None:
    """Check the arguments of :func:`validate_packets` other than the packets.

    :param written: paths of the files to write, which are emptied.
    :raises InvalidValueError: with everything that is wrong.
    :raises StorageError: if the storage of a file fails, which may pass.
    """
    problems = not_one_of("unknown_labels", unknown_labels, UNKNOWN_LABELS)
    if not 0 <= samples <= 100:
        problems.append(f"samples must be 0 to 100, not {samples}")
    empty = [partial(_make_empty, path, path_of) for path in written]
    problems += all_problems([limits.check, *empty])
    if problems:
        raise InvalidValueError("validation", problems)


def _make_empty(path: str | None, path_of: PathOpener) -> None:
    with open_to_write("validation", path, path_of):
        pass


def _line(number: int, name: str | None, packet: Packet | None, problems: list[str]) -> bytes:
    line = {
        "packet": number,
        "name": name,
        "valid": not problems,
        "instances": None if packet is None else len(packet.instances),
        "problems": problems,
    }
    return json.dumps(line).encode() + b"\n"


def _name_of(packet: Packet) -> str | None:
    if packet.file_id is not None:
        return f"file {packet.file_id}"
    try:
        return name_of(packet)
    except InvalidValueError:
        return packet.original_filename


def _name_of_fields(value: Any) -> str | None:
    name = value.get("original_filename") if isinstance(value, Mapping) else None
    return without_signatures(name) if isinstance(name, str) else None
