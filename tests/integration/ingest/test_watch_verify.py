"""What proves that predictions are stored: a count, each instance, or the status alone (server.md 2.6)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_diffgram.ingest.watch.ending import Report, describe_receipt
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Receipt
from tests.integration.ingest import served_media
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, instance, look_until, raw
from tests.integration.ingest.served_media import Media
from tests.integration.ingest.test_watch_videos import video

CLIP = Path(__file__).parents[2] / "contract" / "media" / "clip.mp4"
COUNTS, INSTANCES, STATUS = (Rules(verify=each) for each in ("counts", "instances", "status"))

pytestmark = pytest.mark.usefixtures("queued")


def ended(diffgram: LiveDiffgram, handle, rules: Rules) -> tuple[Watch, Receipt]:
    watch = Watch([handle], rules)
    return watch, look_until(diffgram, watch, lambda each: each.complete)


@pytest.mark.parametrize("rules", [COUNTS, INSTANCES, STATUS], ids=lambda rules: rules.verify)
def test_what_is_in_is_in_however_it_is_proved(diffgram: LiveDiffgram, media: Media, rules: Rules):
    handle = diffgram.push([image(media, "a.png", box(1), box(3)), image(media, "b.png")])
    assert ended(diffgram, handle, rules)[1].summary() == "2 expected: 2 succeeded"


@pytest.mark.parametrize("rules, failed", [(COUNTS, 1), (INSTANCES, 1), (STATUS, 0)])
def test_a_success_with_nothing_stored_names_each_prediction_unless_only_the_status_counts_quirk_4(
    diffgram: LiveDiffgram, media: Media, rules: Rules, failed: int
):
    diffgram.emulator.row_fault("a.png", "lose")
    watch, receipt = ended(diffgram, diffgram.push([image(media, "a.png", box(1), box(3))]), rules)
    assert receipt.failed == failed
    assert [len(each.missing) for each in watch.verdicts()] == [2 * failed]


def test_an_update_names_the_prediction_that_its_file_lacks(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", box(1))])
    update = {"file_id": diffgram.file("a.png").id, "mode": "update", "original_filename": None, "media": {}}
    lost = instance(diffgram, 5, creation_ref_id="lost", score="high")
    watch, receipt = ended(diffgram, raw(diffgram, media, update | {"instance_list": [lost]}), COUNTS)
    assert receipt.failed == 1
    ((missing,),) = [each.missing for each in watch.verdicts()]
    assert "x_min 5" in missing
    assert "creation_ref_id lost" in missing
    assert missing in describe_receipt(receipt)


def test_a_replacement_tells_what_the_server_kept_from_before_2_7(diffgram: LiveDiffgram, media: Media):
    run = {"model_ref": "m", "model_run_ref": "r1"}
    diffgram.pushed([image(media, "a.png", box(1, **run), box(3, **run))])
    newer = {"model_ref": "m", "model_run_ref": "r2"}
    handle = diffgram.push([image(media, "a.png", box(3, **newer), box(5, **newer))], if_exists="replace")
    _, receipt = ended(diffgram, handle, COUNTS)
    assert diffgram.lefts(diffgram.file("a.png").id) == [3, 5]
    assert receipt.summary() == "1 expected: 1 succeeded, 1 prediction kept as stored"


def test_a_file_that_a_person_removed_before_its_update_is_archived(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", box(1))])
    file_id = diffgram.file("a.png").id
    update = {"file_id": file_id, "mode": "update", "original_filename": None, "media": {}}
    handle = raw(diffgram, media, update | {"instance_list": [instance(diffgram, 5)]})
    diffgram.done(handle)
    diffgram.archive(*[row for row in diffgram.inputs() if row.mode is None])
    _, receipt = ended(diffgram, handle, COUNTS)
    assert receipt.failed == 0
    assert receipt.succeeded + receipt.archived == 1


def test_a_videos_frames_are_compared_one_by_one_quirk_54(
    diffgram: LiveDiffgram, media: Media, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(served_media, "VIDEO", CLIP.read_bytes())  # frames beyond its end are ignored
    frames = video(media, f0=[instance(diffgram, 1)], f2=[instance(diffgram, 3)])
    handle = raw(diffgram, media, frames)
    assert ended(diffgram, handle, COUNTS)[1].succeeded == 1
    diffgram.archive(*diffgram.inputs())
    beyond = raw(diffgram, media, video(media, f0=[instance(diffgram, 1)], f99999=[instance(diffgram, 7)]))
    watch, receipt = ended(diffgram, beyond, COUNTS)
    assert receipt.failed == 1
    ((missing,),) = [each.missing for each in watch.verdicts()]
    assert missing.startswith("frame 99999: box")


def test_a_report_has_a_line_for_each_input(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    diffgram.emulator.row_fault("lost.png", "lose")
    packets = [image(media, "a.png", box(1)), image(media, "lost.png", box(3))]
    packets.append(image(media, "x.png", folder="gone/"))
    watch, _ = ended(diffgram, diffgram.push(packets), COUNTS)
    assert Report(str(tmp_path / "report.jsonl")).write(watch.verdicts) is None
    written = map(json.loads, (tmp_path / "report.jsonl").read_text().splitlines())
    lines = {each["name"]: each for each in written}
    assert {name: each["outcome"] for name, each in lines.items()} == {
        "a.png": "succeeded",
        "lost.png": "failed",
        "x.png": "failed",
    }
    assert len(lines["lost.png"]["missing"]) == 1
    assert "404" in lines["x.png"]["reason"]
    assert lines["a.png"]["file_id"] == diffgram.file("a.png").id
