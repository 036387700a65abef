"""What became of each prediction of a file. No I/O.

Predictions come from a record, and are joined with the rows that the file holds now by ``creation_ref_id``.
Only the geometry, label, attributes and track of a row count: ``machine_made``, score and model mean nothing
once a person has saved a text (server.md 10.3.2), so they come from the record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from ...drawing.likeness import Fields, is_measured, likeness, place_of, same_place, shift
from ...ingest.server.past import Fate
from ...models.base import is_score

KEPT = "kept"
MOVED = "moved"
RELABELLED = "relabelled"
ATTRIBUTES = "attributes_changed"
TRACK = "track_changed"
DELETED = "deleted"
REDRAWN = "redrawn"
LOST = "lost"
UNKNOWN = "unknown"
SUPERSEDED = "superseded"
NOT_STORED = "not_stored"
NOT_REVIEWED = "not_reviewed"
NOT_COMPARED = "not_compared"
ADDED = "added"
ADDED_BY_PUSH = "added_by_push"

CHANGES = (MOVED, RELABELLED, ATTRIBUTES, TRACK)
"""What a person may change in a prediction that they keep; several are joined: ``moved+relabelled``."""

UNJUDGED = frozenset(
    {LOST, UNKNOWN, SUPERSEDED, NOT_STORED, NOT_REVIEWED, NOT_COMPARED, ADDED, ADDED_BY_PUSH}
)
"""Outcomes that are not a judgement."""

Proof = Literal["history"]
"""How it is known what became of one that is gone. The file's counter is no proof: a row that it counts and
that nobody finds may be of a prediction that was lost, or of the deletion of another one."""

Canonical = Callable[[Fields], Mapping[str, Any]]
"""Reads the attributes of an instance, predicted or stored, into one form that can be compared."""

REDRAWN_IOU = 0.5


class Prediction(NamedTuple):
    """One instance of a record.

    :param frame: of a video; None for other media.
    :param run: ``model/run`` that predicted it; None if the record names none.
    :param replaced: whether a later line of the record replaced what the file held.
    """

    reference: str | None
    frame: int | None
    fields: Fields
    run: str | None = None
    replaced: bool = False


@dataclass(slots=True)
class SentFile:
    """What was predicted on one file.

    :param file_id: None for one that never got an id, or is not known.
    :param dataset: its id, as a record has it.
    :param parent: id of the compound file that it is a child of.
    :param media: its medium, as it was sent; None if it was in Diffgram.
    :param doubled: references that the record gives to several instances; the last one counts.
    :param labels: ``label_file_id`` -> what the label was called when predictions were sent.
    """

    file_id: int | None
    name: str
    dataset: int | None
    predictions: Sequence[Prediction]
    parent: int | None = None
    media: Mapping[str, Any] | None = None
    doubled: int = 0
    labels: Mapping[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class FileNow:
    """What one file holds now.

    :param reviewed: whether people are done with it: the status of its task says so, and nothing else does.
    :param rows: living ones by frame, each with the name of its ``label``; frame None for other media.
    :param fates: (frame, reference) of one that is gone -> what its history says for sure (server.md 10.3.6).
    :param dead: rows that are gone as programs made them, each with its fate: one that equals a prediction
        stands for it, under the reference of an earlier push.
    :param complete: whether living rows and the dead ones that were found are all that it ever held: what is
        in neither was never stored.
    :param replaced: whether a push replaced what the file held, since these predictions were sent.
    :param seconds: from the creation of the task to its completion; None if unknown.
    """

    file_id: int
    reviewed: bool
    rows: Mapping[int | None, Sequence[Fields]]
    fates: Mapping[tuple[int | None, str], Fate] = field(default_factory=dict)
    dead: Sequence[tuple[Fields, Fate]] = ()
    complete: bool = False
    replaced: bool = False
    seconds: float | None = None


class Outcome(NamedTuple):
    """What became of a prediction, or where an instance came from that nobody predicted.

    :param outcome: one of the names above; several changes are joined by ``+``.
    :param label: predicted; None of an added one.
    :param final_label: of what is there now; None if nothing is.
    :param iou: how alike the places are; None if there is nothing to compare, or it is not measured.
    :param shift: how far its middle moved, in pixels.
    :param proof: of one that is gone.
    :param predicted: its fields; None of an added one.
    :param final: fields of what is there now.
    """

    outcome: str
    type: str
    label: str | None
    final_label: str | None
    score: float | None
    run: str | None
    reference: str | None
    frame: int | None
    iou: float | None = None
    shift: float | None = None
    proof: Proof | None = None
    predicted: Fields | None = None
    final: Fields | None = None


def named_as_sent(sent: SentFile, now: FileNow | None) -> FileNow | None:
    """Return what a file holds with its labels called as they were when predictions were sent.

    Somebody who renames a label in the schema has not judged any prediction.
    """
    if now is None or not sent.labels:
        return now

    def named(row: Fields) -> Fields:
        name = sent.labels.get(row.get("label_file_id", 0))
        return row if name is None or row.get("label") == name else {**row, "label": name}

    rows = {frame: [named(row) for row in of] for frame, of in now.rows.items()}
    return replace(now, rows=rows, dead=[(named(row), fate) for row, fate in now.dead])


def compare_file(
    sent: SentFile,
    now: FileNow | None,
    *,
    redrawn_iou: float = REDRAWN_IOU,
    canonical: Canonical | None = None,
) -> list[Outcome]:
    """Return what became of each prediction of a file, and what people added to it.

    :param now: None if the file does not exist, or people were not asked about it.
    :param redrawn_iou: how much a drawn instance must overlap a deleted one to count as the same object.
    :param canonical: None means that attributes count only if both sides give them by the ids of their
        groups.
    :raises LibraryMissingError: if shapely is missing and a polygon or an ellipse has changed.
    """
    if now is None or not now.reviewed:
        return [_outcome(NOT_REVIEWED, each) for each in sent.predictions]
    read = canonical or attributes_by_id
    held, others = _by_reference(now.rows)
    outcomes: list[Outcome] = []
    gone: list[Prediction] = []
    for each in sent.predictions:
        if each.reference is None:
            outcomes.append(_outcome(NOT_COMPARED, each))
            continue
        row = held.pop((each.frame, each.reference), None)
        if row is None:
            gone.append(each)
        else:
            outcomes.append(_found(each, row, read))
    added = [(frame, row) for (frame, _), row in held.items()] + others
    if gone:
        gone = _without_those_kept(gone, added, read, outcomes)
    if gone:
        fates = _fates(gone, sent, now, read)
        outcomes += _gone(gone, fates, added, redrawn_iou)
    outcomes += [_added(frame, row) for frame, row in added]
    return outcomes


def _without_those_kept(
    gone: Sequence[Prediction],
    added: list[tuple[int | None, Fields]],
    read: Canonical,
    outcomes: list[Outcome],
) -> list[Prediction]:
    """Return predictions of which the file holds no equal that a program made.

    The server, and a push that refreshes, keep a row that equals a new one, under its older reference.
    """
    alike: dict[Any, list[int]] = defaultdict(list)
    for number, (frame, row) in enumerate(added):
        if row.get("machine_made") and (row.get("version") or 1) == 1:
            alike[_telling(frame, row)].append(number)
    if not alike:
        return list(gone)
    left: list[Prediction] = []
    claimed: set[int] = set()
    for each in gone:
        places = alike.get(_telling(each.frame, each.fields), [])
        place: int | None = next((n for n in places if _is_equal(each.fields, added[n][1], read)), None)
        if place is None:
            left.append(each)
        else:
            places.remove(place)
            claimed.add(place)
            outcomes.append(_found(each, added[place][1], read))
    added[:] = [one for number, one in enumerate(added) if number not in claimed]
    return left


def _telling(frame: int | None, fields: Fields) -> Any:
    return frame, fields.get("type"), label_of(fields)


def _is_equal(fields: Fields, row: Fields, read: Canonical) -> bool:
    before, after = place_of(fields), place_of(row)
    return (
        before is not None and after is not None and same_place(before, after) and read(fields) == read(row)
    )


def label_of(fields: Fields) -> str:
    """Return the name of a label; what stands for it where there is none."""
    label = fields.get("label")
    if label is not None:
        return str(label)
    number = fields.get("label_file_id")
    return f"({fields.get('type')})" if number is None else f"label_file_id {number}"


def attributes_by_id(instance: Fields) -> Mapping[str, Any]:
    """Read attributes that are given by the ids of their groups, without the words of their options."""
    groups = instance.get("attribute_groups")
    if not isinstance(groups, Mapping):
        return {}
    read = {str(key): _without_words(value) for key, value in groups.items()}
    return {key: value for key, value in read.items() if value not in (None, "", [], {})}


_WORDS = frozenset({"name", "display_name"})


def _without_words(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_words(item) for key, item in value.items() if key not in _WORDS}
    return [_without_words(item) for item in value] if isinstance(value, list) else value


def _by_reference(
    rows: Mapping[int | None, Sequence[Fields]],
) -> tuple[dict[tuple[int | None, str], Fields], list[tuple[int | None, Fields]]]:
    """Return rows by frame and reference, and those that have none, or share it with an older one."""
    held: dict[tuple[int | None, str], Fields] = {}
    others: list[tuple[int | None, Fields]] = []
    for frame, of in rows.items():
        for row in of:
            reference = row.get("creation_ref_id")
            key = (frame, reference) if isinstance(reference, str) else None
            if key is None or key in held:
                others.append((frame, row))
            else:
                held[key] = row
    return held, others


def _outcome(
    outcome: str,
    each: Prediction,
    *,
    final_label: str | None = None,
    iou: float | None = None,
    moved_by: float | None = None,
    proof: Proof | None = None,
    final: Fields | None = None,
) -> Outcome:
    """Return what became of a prediction."""
    fields = each.fields
    return Outcome(
        outcome,
        str(fields.get("type")),
        label_of(fields),
        final_label,
        _score(fields),
        each.run,
        each.reference,
        each.frame,
        iou,
        moved_by,
        proof,
        fields,
        final,
    )


def _found(each: Prediction, row: Fields, read: Canonical) -> Outcome:
    """Tell what a prediction became that is still there."""
    fields = each.fields
    kind, label, final_label = str(fields.get("type")), label_of(fields), label_of(row)
    before, after = place_of(fields), place_of(row)
    if before is None or after is None:
        return _outcome(NOT_COMPARED, each, final_label=final_label, final=row)
    changes = []
    iou: float | None = 1.0
    moved_by = None
    if row.get("type") != kind or not same_place(before, after):
        changes.append(MOVED)
        iou, moved_by = likeness(fields, row), shift(fields, row)
    if label != final_label:
        changes.append(RELABELLED)
    if (fields.get("attribute_groups") or fields.get("attributes") or row.get("attribute_groups")) and read(
        fields
    ) != read(row):
        changes.append(ATTRIBUTES)
    number = fields.get("number")
    if number is not None and each.frame is not None and row.get("number") != number:
        changes.append(TRACK)
    outcome = "+".join(changes) if changes else KEPT
    return _outcome(outcome, each, final_label=final_label, iou=iou, moved_by=moved_by, final=row)


_FATES = {Fate.DELETED_BY_PERSON: DELETED, Fate.TAKEN_BACK: SUPERSEDED, Fate.LOST: LOST}


def _told_fate(each: Prediction, now: FileNow, read: Canonical) -> str | None:
    """Return what became of one that is gone, if its history tells, or that of an equal one."""
    fate = now.fates.get((each.frame, str(each.reference)))
    if fate is None and each.frame is None:
        telling = _telling(None, each.fields)
        fate = next(
            (
                fate
                for row, fate in now.dead
                if _telling(None, row) == telling and _is_equal(each.fields, row, read)
            ),
            None,
        )
    return None if fate is None else _FATES.get(fate)


def _fates(
    gone: Sequence[Prediction], sent: SentFile, now: FileNow, read: Canonical
) -> list[tuple[str, Proof | None]]:
    """Return what became of predictions that are not there any more."""
    doubles = _doubles(sent.predictions, gone, read)
    fates: list[tuple[str, Proof | None]] = []
    for each, is_double in zip(gone, doubles, strict=True):
        told = _told_fate(each, now, read)
        if told != DELETED and (each.replaced or (now.replaced and told == LOST)):
            fates.append((SUPERSEDED, None))
        elif told is not None:
            fates.append((told, "history"))
        elif is_double or now.complete:
            fates.append((NOT_STORED, None))
        else:
            fates.append((UNKNOWN, None))
    return fates


def _doubles(predictions: Sequence[Prediction], gone: Sequence[Prediction], read: Canonical) -> list[bool]:
    """Tell of each whether another prediction equals it: the server stores one of them (server.md 5.3)."""
    if len(predictions) == len(gone) == 1:
        return [False]
    first: dict[Any, Prediction] = {}
    for each in predictions:
        first.setdefault(_content(each, read), each)
    return [first[_content(each, read)] is not each for each in gone]


def _content(each: Prediction, read: Canonical) -> Any:
    fields = each.fields
    return each.frame, fields.get("type"), label_of(fields), place_of(fields), repr(read(fields))


def _gone(
    gone: Sequence[Prediction],
    fates: Sequence[tuple[str, Proof | None]],
    added: list[tuple[int | None, Fields]],
    redrawn_iou: float,
) -> list[Outcome]:
    """Tell of predictions that are gone; what a person drew in their place is taken out of ``added``."""
    again = _drawn_again(
        [each if fate == DELETED else None for each, (fate, _) in zip(gone, fates, strict=True)],
        added,
        redrawn_iou,
    )
    outcomes = []
    for place, (each, (fate, proof)) in enumerate(zip(gone, fates, strict=True)):
        if place not in again:
            outcomes.append(_outcome(fate, each, proof=proof))
            continue
        number, iou = again[place]
        row = added[number][1]
        moved_by = shift(each.fields, row)
        outcomes.append(
            _outcome(
                REDRAWN,
                each,
                final_label=label_of(row),
                iou=iou,
                moved_by=moved_by,
                proof=proof,
                final=row,
            )
        )
    for place in sorted((place for place, _ in again.values()), reverse=True):
        del added[place]
    return outcomes


def _drawn_again(
    gone: Sequence[Prediction | None], added: Sequence[tuple[int | None, Fields]], least: float
) -> dict[int, tuple[int, float]]:
    """Return place of one that is gone -> place of the one drawn instead, and how alike; the likest first."""
    drawn: dict[Any, list[int]] = defaultdict(list)
    for place, (frame, row) in enumerate(added):
        if not row.get("machine_made") and is_measured(str(row.get("type"))):
            drawn[frame, row.get("type")].append(place)
    pairs = []
    for of_gone, each in enumerate(gone):
        if each is None:
            continue
        for place in drawn.get((each.frame, each.fields.get("type")), ()):
            iou = likeness(each.fields, added[place][1])
            if iou is not None and iou >= least and _may_be_redrawn(each.fields, added[place][1]):
                same_label = label_of(each.fields) == label_of(added[place][1])
                pairs.append((-iou, not same_label, of_gone, place))
    found: dict[int, tuple[int, float]] = {}
    taken: set[int] = set()
    for negative, _, of_gone, place in sorted(pairs):
        if of_gone not in found and place not in taken:
            found[of_gone] = (place, -negative)
            taken.add(place)
    return found


def _may_be_redrawn(predicted: Fields, drawn: Fields) -> bool:
    """A tag has no place: another one is the same only under its label."""
    return predicted.get("type") != "tag" or label_of(predicted) == label_of(drawn)


def _score(fields: Fields) -> float | None:
    score: Any = fields.get("score")
    return score if is_score(score) else None


def _added(frame: int | None, row: Fields) -> Outcome:
    by_push = bool(row.get("machine_made"))
    return Outcome(
        ADDED_BY_PUSH if by_push else ADDED,
        str(row.get("type")),
        None,
        label_of(row),
        _score(row),
        None,
        row.get("creation_ref_id"),
        frame,
        final=row,
    )


def predictions_of(lines: Sequence[Mapping[str, Any]]) -> SentFile:
    """Return what a record's lines about one file predict on it, oldest line first.

    Of a reference that is given again the last one counts; where both are the same this is a retry, which
    sends nothing new. Each line of mode ``update_with_existing`` replaces those before it.

    :param lines: fields of :class:`~airflow_provider_diffgram.models.recorded.Recorded`, not empty.
    """
    found: dict[Any, Prediction] = {}
    doubled = 0
    for line in lines:
        packet = line["packet"]
        if packet.get("mode") == "update_with_existing":
            found = {key: each._replace(replaced=True) for key, each in found.items()}
        for frame, instances in _instances_of(packet):
            for fields in instances:
                reference = fields.get("creation_ref_id")
                key: Any = (frame, reference) if reference is not None else (len(found),)
                before = found.get(key)
                if before is not None and not before.replaced and before.fields != fields:
                    doubled += 1
                model, run = fields.get("model_ref"), fields.get("model_run_ref")
                origin = None if model is None else f"{model}/{run}" if run is not None else str(model)
                found[key] = Prediction(reference, frame, fields, origin)
    file_id = next((line["file_id"] for line in lines if line.get("file_id") is not None), None)
    first = lines[0]
    return SentFile(
        file_id,
        first["name"],
        next((line["directory_id"] for line in lines if line.get("directory_id") is not None), None),
        list(found.values()),
        parent=first.get("parent_file_id"),
        media=next((line["packet"]["media"] for line in lines if line["packet"].get("media")), None),
        doubled=doubled,
        labels={
            number: name for line in lines for name, number in (line.get("label_file_ids") or {}).items()
        },
    )


def _instances_of(packet: Mapping[str, Any]) -> Iterable[tuple[int | None, Sequence[Fields]]]:
    yield None, packet.get("instance_list") or ()
    for frame, instances in (packet.get("frame_packet_map") or {}).items():
        yield int(frame), instances
