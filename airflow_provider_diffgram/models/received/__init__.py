"""Models of the server's answers, one module per subject."""

from .datasets import Dataset, DirectoryRef, StorageConnection
from .files import (
    AnnotationUpdate,
    File,
    FilePage,
    InstanceBuffer,
    InstanceHistory,
    PageMetadata,
)
from .inputs import ALREADY_EXISTS, Input, InputBatch, InputStatus
from .jobs import Job, JobPage, JobRef, Task, TaskFile, TaskPage, TaskState
from .labels import AttributeGroup, AttributeOption, Label, LabelList, LabelSchema
from .projects import Event, ModelRun
from .replies import PacketReply, ReplyLog, UploadReply
from .rows import InputRow
from .texts import without_signatures

__all__ = [
    "ALREADY_EXISTS",
    "AnnotationUpdate",
    "AttributeGroup",
    "AttributeOption",
    "Dataset",
    "DirectoryRef",
    "Event",
    "File",
    "FilePage",
    "Input",
    "InputBatch",
    "InputRow",
    "InputStatus",
    "InstanceBuffer",
    "InstanceHistory",
    "Job",
    "JobPage",
    "JobRef",
    "Label",
    "LabelList",
    "LabelSchema",
    "ModelRun",
    "PacketReply",
    "PageMetadata",
    "ReplyLog",
    "StorageConnection",
    "Task",
    "TaskFile",
    "TaskPage",
    "TaskState",
    "UploadReply",
    "without_signatures",
]
