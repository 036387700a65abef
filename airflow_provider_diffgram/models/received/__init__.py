"""What the server sends back, by subject."""

from .datasets import Dataset, DirectoryRef, StorageConnection
from .exports import Export, ExportedDocument, ExportedFile
from .files import (
    Existence,
    File,
    FileIdPage,
    FilePage,
    FileStat,
    FrameUrl,
    InstanceBuffer,
    PageMetadata,
    Track,
)
from .inputs import ALREADY_EXISTS, Input, InputBatch, InputStatus
from .jobs import Job, JobPage, JobRef, Task, TaskFile, TaskPage
from .labels import AttributeGroup, AttributeOption, Label, LabelList, LabelSchema
from .replies import PacketReply, ReplyLog, UploadReply
from .rows import InputRow
from .runs import ModelRun
from .texts import without_signatures

__all__ = [
    "ALREADY_EXISTS",
    "AttributeGroup",
    "AttributeOption",
    "Dataset",
    "DirectoryRef",
    "Existence",
    "Export",
    "ExportedDocument",
    "ExportedFile",
    "File",
    "FileIdPage",
    "FilePage",
    "FileStat",
    "FrameUrl",
    "Input",
    "InputBatch",
    "InputRow",
    "InputStatus",
    "InstanceBuffer",
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
    "Track",
    "UploadReply",
    "without_signatures",
]
