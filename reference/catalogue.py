"""What has a page in the reference, and in which section."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

PROVIDER = "airflow_provider_diffgram"


@dataclass(frozen=True)
class Entry:
    """A class or function with a page.

    :param path: where it is imported from, and its name: ``operators.setup.DiffgramApplySchemaOperator``.
    :param title: what the page is called, if not by its name.
    :param given: parameters that are set for the reader, and left out.
    :param package: the distribution's package.
    """

    path: str
    title: str | None = None
    given: frozenset[str] = frozenset()
    package: str = PROVIDER

    @property
    def module(self) -> str:
        """The module to import it from."""
        inside = self.path.rpartition(".")[0]
        return f"{self.package}.{inside}" if inside else self.package

    @property
    def name(self) -> str:
        """Its name in that module."""
        return self.path.rpartition(".")[2]

    @property
    def heading(self) -> str:
        """What the page is called."""
        return self.title or self.name

    @property
    def file(self) -> str:
        """The page, below ``docs``."""
        return f"reference/{self.path}.md"

    def load(self) -> Any:
        """Return the class or function."""
        return getattr(import_module(self.module), self.name)


def _of(module: str, *names: str) -> list[Entry]:
    return [Entry(f"{module}.{name}") for name in names]


def _emulator(*paths: str) -> list[Entry]:
    return [Entry(path, package="diffgram_emulator") for path in paths]


def _fixture(name: str, asks_for: str) -> Entry:
    """Return a fixture of pytest, which fills in what it asks for."""
    return Entry(f"pytest_plugin.{name}", given=frozenset({asks_for}), package="diffgram_emulator")


SECTIONS: dict[str, list[Entry]] = {
    "Operators": [
        *_of(
            "operators.diffgram",
            "DiffgramSendPacketOperator",
            "DiffgramValidatePacketsOperator",
            "DiffgramCreateCompoundFileOperator",
            "DiffgramUploadChildrenOperator",
        ),
        *_of("operators.setup", "DiffgramCreateDatasetOperator", "DiffgramApplySchemaOperator"),
        *_of("operators.review", "DiffgramCreateJobOperator", "DiffgramAddTasksOperator"),
        *_of("operators.pull", "DiffgramPullAnnotationsOperator"),
        *_of("operators.compare", "DiffgramCompareOperator"),
        *_of("operators.retract", "DiffgramRetractPredictionsOperator"),
    ],
    "Sensors and triggers": [
        *_of("sensors.diffgram", "DiffgramInputSensor"),
        *_of("sensors.review", "DiffgramReviewSensor"),
        *_of("triggers.diffgram", "DiffgramInputTrigger"),
        *_of("triggers.review", "DiffgramReviewTrigger"),
        *_of("triggers.review_events", "DiffgramReviewEventTrigger"),
    ],
    "Decorator, groups, notifier": [
        Entry(
            "decorators.diffgram._DiffgramPushDecoratedOperator",
            title="@task.diffgram_push",
            given=frozenset({"python_callable", "op_args", "op_kwargs", "packets"}),
        ),
        *_of(
            "task_groups.diffgram",
            "push_predictions",
            "push_prediction_chunks",
            "push_compound_file",
            "Pushed",
        ),
        *_of("notifications.diffgram", "DiffgramReceiptNotifier"),
        *_of("retries", "retry_policy"),
    ],
    "Hook, assets, links": [
        *_of("hooks.diffgram", "DiffgramHook"),
        *_of("assets.diffgram", "create_asset"),
        *_of("assets.review", "review_asset"),
        *_of(
            "links.diffgram",
            "DiffgramDatasetLink",
            "DiffgramFileLink",
            "DiffgramInputsLink",
            "DiffgramJobLink",
            "DiffgramPageLink",
        ),
    ],
    "Packets": [
        *_of("models", "Packet", "Child", "CompoundFile", "ChildFolder", "ChildPages"),
        *_of("models", "PathMedia", "UrlMedia", "BlobMedia", "TextMedia", "PageMedia"),
        *_of("models", "Handle", "SentBatch", "Receipt", "ReceiptFailure", "InvalidValueError"),
        *_of("models.recorded", "Recorded"),
    ],
    "Instances": _of(
        "models",
        *("Box", "Polygon", "Point", "Line", "Tag", "Global", "Ellipse", "Curve", "Keypoints"),
        *("KeypointNode", "KeypointEdge", "Cuboid", "CuboidFace", "Cuboid3D", "Dimensions3D"),
        *("TextToken", "Relation", "Audio", "GeoBox", "GeoCircle", "GeoPoint", "GeoPolygon", "GeoPolyline"),
        *("Point2D", "Vector3D"),
    ),
    "Predictions": [
        *_of("predictions", "packets_of", "instances_of", "Options", "Provenance"),
        *_of(
            "predictions",
            *("from_coco", "CocoResults", "from_yolo_text", "read_classes", "from_voc", "from_ultralytics"),
            *("from_torchvision", "from_supervision", "from_supervision_key_points"),
            *("from_detection_pipeline", "from_segmentation_pipeline", "from_classification_pipeline"),
            *("from_token_classification", "from_document_question_answering", "from_label_studio"),
            *("from_dataframe", "box_instances", "polygon_instances", "outlines_of", "words_of"),
            *("in_frames", "in_tracks", "video_frames", "ConvertedVideo", "preview"),
            *("RawImage", "RawPrediction", "RawEllipse", "RawKeypoint", "RawSkeleton", "RawTokens"),
            *("Packets", "Account", "Converted"),
        ),
    ],
    "Push and wait without Airflow": [
        *_of("ingest", "push", "prepare", "Prepared", "create_compound_file", "upload_children"),
        *_of("ingest", "validate_packets", "children_of", "pages_of", "scenes", "children_calls"),
        *_of("ingest", "read_record", "wait", "Rules", "Watch", "Report"),
        Entry("ingest.send.decisions.refresh.Rules", title="Rules of a refresh"),
        *_of("ingest.send.retract", "retract_predictions", "Retraction"),
        *_of("ingest", "PushError", "WaitError"),
        *_of(
            "ingest.watch.errors",
            *("InputsFailedError", "EndedWaitError", "WaitTimeoutError"),
            *("ReportNotWrittenError", "ServerLostError"),
        ),
    ],
    "Review without Airflow": [
        *_of("review.jobs", "ensure_job", "JobPlan", "MadeJob"),
        *_of("review.select", "select", "Selection", "Candidate", "Chosen"),
        *_of("review.tasks", "add_tasks", "AddedTasks"),
        *_of("review.wait", "wait_for_review", "ReviewTarget"),
        *_of("review.progress", "ReviewRules", "ReviewReceipt"),
        *_of("review.pull", "pull"),
        Entry("review.pull.Options", title="Options of a pull"),
        *_of("review.pull", "Pulled"),
        *_of("review.sets.manifest", "Manifest"),
        *_of("review.sets.stored", "StoredFile"),
        *_of("review.comparison", "compare_in", "Outputs"),
        *_of("review.quality.limits", "QualityLimits"),
        *_of("review.quality.verdict", "Comparison", "QualityError"),
        *_of(
            "review.errors",
            *("ReviewError", "JobStateError", "TasksMissingError", "ReviewEndedError", "ReviewTimeoutError"),
            *("ReviewImpossibleError", "ReviewLostError"),
        ),
    ],
    "Client and setup without Airflow": [
        *_of("client.settings", "Settings"),
        *_of("client.sync", "DiffgramClient"),
        *_of("setup.datasets", "ensure_dataset"),
        *_of("setup.schema", "plan_schema", "apply_schema", "export_schema", "Applied"),
        *_of(
            "setup.description", "DescribedSchema", "DescribedLabel", "DescribedAttribute", "DescribedOption"
        ),
        *_of(
            "client.errors",
            *("DiffgramError", "RefusedError", "CredentialError", "WrongAddressError", "TlsError"),
            *("TooLargeError", "NotProcessedError", "HostUnreachableError", "RateLimitedError"),
            *("StorageError", "StorageRefusedError", "OutcomeUnknownError", "UnexpectedReplyError"),
            *("ServerUnavailableError", "ServerFaultError", "StoppedError", "NoReplyError"),
        ),
    ],
    "Emulator": [
        Entry("process.EmulatorProcess", given=frozenset({"_handle"}), package="diffgram_emulator"),
        *_emulator("process.EmulatorError"),
        _fixture("diffgram_emulator", "diffgram_emulator_session"),
        _fixture("diffgram_emulator_process", "tmp_path"),
    ],
}
"""Section -> what it holds, in the order of the site."""

OPTIONS = {"Pushing": "ingest.send.options.Options", "Sending": "ingest.send.options.Options"}
"""A ``TypedDict`` of keyword arguments -> the class that explains them and holds their defaults."""
