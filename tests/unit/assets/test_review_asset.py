"""The asset of what people have reviewed, and what watches it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_diffgram.assets.review import review_asset

ARGUMENTS: dict[str, Any] = {
    "host": "https://Diffgram.example.com/",
    "project": "my project",
    "job": "night 1",
}


def watchers_exist() -> bool:
    try:
        from airflow.sdk import AssetWatcher  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.skipif(not watchers_exist(), reason="assets are watched from Airflow 3.0 on")
def test_it_is_named_after_the_job_and_watched_as_asked():
    asset = review_asset(**ARGUMENTS, min_files=100, max_wait=timedelta(days=1))
    assert asset.uri == "diffgram-review://diffgram.example.com/my%20project/night%201?files=100"
    assert review_asset(**ARGUMENTS, min_files=5).uri != asset.uri, "other events"
    (watcher,) = asset.watchers
    path, arguments = (
        watcher.trigger.serialize()
        if hasattr(watcher.trigger, "serialize")
        else (watcher.trigger["classpath"], watcher.trigger["kwargs"])
    )
    assert path.endswith("DiffgramReviewEventTrigger")
    assert (arguments["job"], arguments["min_files"], arguments["max_wait"]) == ("night 1", 100, 86400.0)


@pytest.mark.skipif(not watchers_exist(), reason="assets are watched from Airflow 3.0 on")
@pytest.mark.parametrize(
    "change,problem",
    [
        ({"host": ""}, "needs host, project and job"),
        ({"job": " "}, "needs host, project and job"),
        ({"min_files": 0}, "min_files must be"),
        ({"min_files": 0.5}, "min_files must be"),
        ({"max_wait": timedelta(0)}, "max_wait must be above 0"),
        ({"poll_interval": -1}, "poll_interval must be above 0"),
    ],
)
def test_wrong_parameters_are_refused_when_the_dag_is_read(change, problem):
    with pytest.raises(ValueError, match=problem):
        review_asset(**{**ARGUMENTS, **change})


@pytest.mark.skipif(watchers_exist(), reason="before Airflow 3.0")
def test_before_watchers_it_says_what_to_do():
    with pytest.raises(RuntimeError, match="begin it with DiffgramReviewSensor"):
        review_asset(**ARGUMENTS)
