"""All cases, by name: a mode, and what strikes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..stage import Case, Stage
from . import (
    compounds,
    fast,
    faults,
    generators,
    kills,
    mapped,
    people,
    people_waited_for,
    pulls,
    refreshes,
    refusals,
    reviews,
    storages,
    two_runs,
    videos,
    waits,
)

QUEUED = ("url", "append", "replace")
UPDATES = ("append", "replace")
ALL = ("url", "local", *UPDATES)
WAIT = ("wait",)
VIDEO = ("video",)
COMPOUND = ("compound",)
PULL = ("pull",)

FAST_NEW = ("fast_url",)
FAST_UPDATES = ("fast_append", "fast_replace")
FAST = (*FAST_NEW, *FAST_UPDATES)
FAST_CHILDREN = ("fast_children",)
FAST_REFRESH = ("fast_refresh",)

MANY = {"amount": 40}
CROWDED = {"emulator": {"workers": 1, "rows_per_cycle": 30, "cycle": 1.0}}
"""One process of the server, that holds many inputs at once."""
RACING = {"amount": 4, "emulator": {"model_race_seconds": 0.3, "rows_per_cycle": 8}}
NEW_RUN = {"instances": {"model_ref": "finder", "model_run_ref": "today", "score": 0.5}}

AWAY = {"connection": {"retry_timeout": 3}, "emulator": {"image_seconds": 0.3}}

Act = Callable[[Stage], None]

PLAN: list[tuple[Act, tuple[str, ...], dict[str, Any]]] = [
    (kills.during_check, ("url", "local"), {}),
    (kills.before_send, ALL, MANY),
    (kills.after_send, ALL, MANY),
    (kills.refuses_existing, ("url", "local", "fast_url"), {**MANY, **NEW_RUN}),
    (kills.every_send, ALL, {"amount": 100}),
    (kills.answered, ALL, MANY),
    (kills.batch_answered, QUEUED, MANY),
    (kills.between_batches, ("url",), {"amount": 1015}),
    (kills.reconciling, ALL, MANY),
    (kills.looking, ALL, MANY),
    (kills.introducing, ("url", "append"), {"emulator": {"model_race_seconds": 0.3}, **NEW_RUN}),
    (kills.introduction_stuck, ("url", "append"), NEW_RUN),
    (kills.reporting, ("url",), {"amount": 400}),
    (kills.waiting, QUEUED, {}),
    (kills.worker_lost, ("url",), MANY),
    (kills.told_to_end, ("url", "local"), {"amount": 100}),
    (kills.cleared_at_once, ("url", "local"), {"amount": 100}),
    (faults.storm, QUEUED, {"amount": 60}),
    (faults.resets, ALL, {}),
    (faults.timeouts, ALL, {"connection": {"read_timeout": 1.5}}),
    (faults.server_errors, ALL, {}),
    (faults.malformed, ALL, {}),
    (faults.truncated, ALL, {}),
    (faults.slow, ("url", "local"), {}),
    (faults.restart, ALL, {"emulator": {"image_seconds": 0.3, "upload_seconds": 0.3}}),
    (faults.outage, ("url", "append"), {"connection": {"retry_timeout": 3}}),
    (storages.fails_for_a_moment, ("local",), {"in_storage": True, **MANY}),
    (storages.stays_away, ("local",), {"in_storage": True, "amount": 60, **AWAY}),
    (generators.retried_while_pending, ("image", "text"), {}),
    (generators.retried_while_pending, ("video", "audio"), {"amount": 1}),
    (generators.raises, ("url", "local"), MANY),
    (generators.raises_amid_faults, ("url", "local"), MANY),
    (generators.thinks, ("url", "local"), MANY),
    (people.cleared, ALL, {}),
    (people.rerun, ALL, {}),
    (people.removed, ALL, {}),
    (people.corrected, ALL, {}),
    (people.corrected_from_an_old_page, UPDATES, {}),
    (refusals.allowed, ALL, {}),
    (refusals.too_many, ("url", "replace"), {}),
    (refusals.gone, ("url",), {}),
    (refusals.unreadable, ("local",), {}),
    (refusals.flipped, QUEUED, {}),
    (refusals.silently_lost, QUEUED, {}),
    (refusals.late, ("url",), {}),
    (two_runs.at_once, ("url",), {"emulator": {"rows_per_cycle": 4}}),
    (two_runs.uploads_at_once, ("local",), {"emulator": {"upload_seconds": 0.5}}),
    (two_runs.children_at_once, ("url",), {}),
    (two_runs.serialised, UPDATES, {}),
    (kills.before_send, FAST, MANY),
    (kills.after_send, FAST, MANY),
    (kills.every_send, FAST, MANY),
    (kills.answered, FAST, MANY),
    (kills.looking, FAST, MANY),
    (faults.resets, FAST, {}),
    (faults.timeouts, FAST, {"connection": {"read_timeout": 1.5}}),
    (faults.server_errors, FAST, {}),
    (faults.malformed, FAST, {}),
    (faults.truncated, FAST, {}),
    (faults.restart, FAST, {}),
    (people.cleared, FAST, {}),
    (people.rerun, FAST, {}),
    (people.corrected, FAST, {}),
    (people.corrected_from_an_old_page, FAST_UPDATES, {}),
    (fast.saved_before_read, ("fast_append",), {}),
    (fast.saved_between, FAST_UPDATES, {}),
    (fast.saved_between_and_answer_lost, FAST_UPDATES, {}),
    (fast.saved_between_and_server_silent, FAST_UPDATES, {"connection": {"read_timeout": 1.5}}),
    (fast.saved_after_write, FAST_UPDATES, {}),
    (fast.saved_while_repairing, FAST_UPDATES, {}),
    (fast.killed_before_repair, FAST_UPDATES, {}),
    (fast.busy_person, ("fast_append",), MANY),
    (fast.busy_person_beside_uploads, ("fast_append",), MANY),
    (fast.busy_person_and_kills, ("fast_append",), MANY),
    (fast.locked_for_a_while, FAST_UPDATES, {}),
    (fast.locked_for_long, FAST_UPDATES, {"connection": {"retry_timeout": 3}}),
    (fast.people_at_work, ("fast_append",), {}),
    (fast.queued_then_delivered, FAST, MANY),
    (fast.delivered_then_queued, FAST, MANY),
    (fast.queued_meanwhile, FAST, {}),
    (fast.media_cut_off, FAST_NEW, {}),
    (fast.media_change, FAST_NEW, {}),
    (fast.media_for_diffgram_alone, FAST_NEW, {}),
    (fast.media_unreadable, FAST_NEW, {}),
    (fast.new_run_at_once, FAST_NEW, {"emulator": {"model_race_seconds": 0.3}, **NEW_RUN}),
    (fast.both_at_once, FAST, {}),
    (fast.after_each_child, FAST_CHILDREN, {}),
    (fast.answers_lost, FAST_CHILDREN, MANY),
    (fast.server_killed, FAST_CHILDREN, {}),
    (reviews.job_at_each_step, ("local",), {}),
    (reviews.job_killed_again_and_again, ("local",), {}),
    (reviews.job_answers_lost, ("local",), {}),
    (reviews.tasks_at_each_step, ("local",), {}),
    (reviews.service_away, ("local",), {}),
    (people_waited_for.triggerer_killed_while_people_work, ("local",), {}),
    (people_waited_for.server_killed_while_people_work, ("local",), {}),
    (people_waited_for.polls_of_people_fail, ("local",), {}),
    (people_waited_for.cleared_while_people_work, ("local",), {}),
    (people_waited_for.killed_at_each_poll, ("local",), {}),
    (refreshes.killed_while_looking, FAST_REFRESH, {}),
    (refreshes.killed_while_reading, FAST_REFRESH, {}),
    (refreshes.killed_before_write, FAST_REFRESH, {}),
    (refreshes.killed_after_every_write, FAST_REFRESH, MANY),
    (refreshes.killed_before_repair, FAST_REFRESH, {}),
    (refreshes.answers_lost, FAST_REFRESH, {"connection": {"read_timeout": 1.5}}),
    (refreshes.server_killed, FAST_REFRESH, {}),
    (refreshes.saved_between, FAST_REFRESH, {}),
    (refreshes.saved_between_and_answer_lost, FAST_REFRESH, {}),
    (refreshes.busy_person, FAST_REFRESH, MANY),
    (refreshes.what_people_said, FAST_REFRESH, {}),
    (refreshes.reviewed, FAST_REFRESH, {}),
    (refreshes.cleared, FAST_REFRESH, {}),
    (refreshes.same_night_at_once, FAST_REFRESH, {}),
    (refreshes.two_nights_at_once, FAST_REFRESH, {}),
    (waits.one_of_thousands, WAIT, {"amount": 2500}),
    (waits.triggerer_killed, WAIT, MANY),
    (waits.failed_meanwhile, WAIT, {}),
    (waits.operator_waits, WAIT, {}),
    (waits.server_restarted, WAIT, {}),
    (waits.stuck_named, WAIT, {"emulator": {"workers": 1, "rows_per_cycle": 2}, **MANY}),
    (waits.stuck_retried, WAIT, {"emulator": {"workers": 1, "rows_per_cycle": 2}, **MANY}),
    (waits.polls_fail, WAIT, MANY),
    (waits.flips, WAIT, MANY),
    (waits.late, WAIT, MANY),
    (waits.silent_losses, WAIT, MANY),
    (waits.one_silent_loss, WAIT, {}),
    (waits.archived_meanwhile, WAIT, {}),
    (waits.batch_gone, WAIT, {}),
    (videos.beside_images, VIDEO, CROWDED),
    (videos.generated_beside_images, VIDEO, CROWDED),
    (videos.among_children, VIDEO, CROWDED),
    (videos.killed, VIDEO, CROWDED),
    (videos.lost_once, VIDEO, CROWDED),
    (videos.lost_for_good, VIDEO, CROWDED),
    (mapped.new_run, COMPOUND, RACING),
    (mapped.known_run, COMPOUND, RACING),
    (mapped.introducer_killed, COMPOUND, RACING),
    (pulls.killed_at_every_page, PULL, {}),
    (pulls.killed_while_it_writes, PULL, {}),
    (pulls.edited_meanwhile, PULL, {"amount": 24}),
    (compounds.parent_made, COMPOUND, {}),
    (compounds.before_children, COMPOUND, {}),
    (compounds.each_child, COMPOUND, {"amount": 8}),
    (compounds.many_children, COMPOUND, MANY),
    (compounds.streaming, COMPOUND, {"amount": 5}),
    (compounds.parent_answer_lost, COMPOUND, {}),
    (compounds.child_answers_lost, COMPOUND, {"amount": 20}),
    (compounds.cleared, COMPOUND, {}),
    (compounds.reordered, COMPOUND, {}),
    (compounds.added_meanwhile, COMPOUND, {"amount": 24}),
    (compounds.removed_meanwhile, COMPOUND, {}),
    (compounds.parents_at_once, COMPOUND, {"emulator": {"name_race_seconds": 3}}),
    (compounds.children_at_once, COMPOUND, {"emulator": {"image_seconds": 0.5, "upload_seconds": 0.5}}),
]


def all_cases() -> dict[str, Case]:
    """Return the cases by name."""
    cases = [
        Case(f"{mode}.{act.__name__}", mode, act, **options) for act, modes, options in PLAN for mode in modes
    ]
    return {case.name: case for case in cases}
