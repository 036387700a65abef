"""The tables of the emulator's SQLite file."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS project (
    id INTEGER PRIMARY KEY AUTOINCREMENT, string_id TEXT NOT NULL UNIQUE, created_time TEXT NOT NULL,
    is_public INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS credential (
    client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL, project_id INTEGER NOT NULL, role TEXT NOT NULL,
    member_id INTEGER);
CREATE TABLE IF NOT EXISTS member (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, person_id INTEGER,
    UNIQUE (project_id, person_id));
CREATE TABLE IF NOT EXISTS person (
    id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL,
    first_name TEXT, last_name TEXT);
CREATE TABLE IF NOT EXISTS login (token TEXT PRIMARY KEY, person_id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, kind TEXT NOT NULL, file_id INTEGER,
    job_id INTEGER, task_id INTEGER, member_id INTEGER, description TEXT, time_created TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS event_by_project ON event (project_id, kind);
CREATE TABLE IF NOT EXISTS directory (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, nickname TEXT NOT NULL,
    access_type TEXT NOT NULL, created_time TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS label_schema (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL,
    is_default INTEGER NOT NULL, archived INTEGER NOT NULL DEFAULT 0, time_created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS label (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attribute_group (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, schema_id INTEGER NOT NULL,
    name TEXT, prompt TEXT, kind TEXT, is_global INTEGER NOT NULL DEFAULT 0, global_type TEXT,
    min_value, max_value, label_file_ids TEXT NOT NULL DEFAULT '[]', archived INTEGER NOT NULL DEFAULT 0,
    time_updated TEXT);
CREATE TABLE IF NOT EXISTS attribute_option (
    id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, name TEXT, parent_id INTEGER,
    archived INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS media (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, original_filename TEXT, width INTEGER,
    height INTEGER, rotation_degrees INTEGER NOT NULL DEFAULT 0, bucket TEXT, blob_path TEXT,
    split_duration INTEGER, created_time TEXT NOT NULL, frame_count INTEGER, frame_rate INTEGER);
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, directory_id INTEGER, type TEXT,
    original_filename TEXT, state TEXT NOT NULL DEFAULT 'added', parent_id INTEGER,
    ordinal INTEGER NOT NULL DEFAULT 0, hash TEXT, created_time TEXT NOT NULL, time_last_updated TEXT,
    count_instances_changed INTEGER, ann_is_complete INTEGER, bucket_name TEXT, connection_id INTEGER,
    media_id INTEGER, video_parent_file_id INTEGER, frame_number INTEGER, label_id INTEGER,
    label_schema_id INTEGER, colour TEXT);
CREATE INDEX IF NOT EXISTS file_by_directory ON file (directory_id, original_filename);
CREATE INDEX IF NOT EXISTS file_of_parent ON file (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS file_of_root ON file (directory_id, id, type)
    WHERE parent_id IS NULL AND state != 'removed';
CREATE INDEX IF NOT EXISTS file_by_video ON file (video_parent_file_id, frame_number);
CREATE TABLE IF NOT EXISTS instance (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL, label_file_id INTEGER, type TEXT NOT NULL,
    identity TEXT NOT NULL, soft_delete INTEGER NOT NULL DEFAULT 0, created_time TEXT NOT NULL,
    data TEXT NOT NULL, root_id INTEGER, deleted_time TEXT, deletion_type TEXT);
CREATE INDEX IF NOT EXISTS instance_by_file ON instance (file_id);
CREATE INDEX IF NOT EXISTS instance_live ON instance (file_id, label_file_id) WHERE soft_delete = 0;
CREATE TABLE IF NOT EXISTS attribute_value (
    instance_id INTEGER NOT NULL, file_id INTEGER NOT NULL, group_id INTEGER NOT NULL, option_id INTEGER,
    value TEXT);
CREATE TABLE IF NOT EXISTS label_count (
    file_id INTEGER NOT NULL, label_file_id INTEGER, amount INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS label_count_by_file ON label_count (file_id);
CREATE INDEX IF NOT EXISTS attribute_value_by_file ON attribute_value (file_id);
CREATE TABLE IF NOT EXISTS sequence (
    id INTEGER PRIMARY KEY AUTOINCREMENT, video_file_id INTEGER NOT NULL, label_file_id INTEGER,
    number INTEGER NOT NULL, UNIQUE (video_file_id, label_file_id, number));
CREATE TABLE IF NOT EXISTS model (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, reference_id TEXT NOT NULL,
    created_time TEXT NOT NULL, UNIQUE (project_id, reference_id));
CREATE TABLE IF NOT EXISTS model_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, model_id INTEGER NOT NULL,
    reference_id TEXT NOT NULL, created_time TEXT NOT NULL, UNIQUE (model_id, reference_id));
CREATE TABLE IF NOT EXISTS connection (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL,
    integration_name TEXT NOT NULL, archived INTEGER NOT NULL DEFAULT 0, private_id TEXT, private_host TEXT,
    time_created TEXT NOT NULL, private_secret TEXT, endpoint TEXT, region TEXT);
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'pending',
    member_id INTEGER, time_created TEXT NOT NULL, time_updated TEXT, pre_labeled_data TEXT,
    download_status TEXT, download_log TEXT);
CREATE TABLE IF NOT EXISTS upload (
    uuid TEXT PRIMARY KEY, input_id INTEGER NOT NULL, path TEXT NOT NULL, small INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS input (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'init',
    status_text TEXT, description TEXT, update_log TEXT, percent_complete NOT NULL DEFAULT 0.0,
    processing_deferred INTEGER NOT NULL DEFAULT 0, file_id INTEGER, sent_file_id INTEGER,
    parent_file_id INTEGER, parent_input_id INTEGER, batch_id INTEGER, original_filename TEXT,
    media_type TEXT, source TEXT, mode TEXT, directory_id INTEGER, instance_list TEXT, frame_packet_map TEXT,
    raw_data_blob_path TEXT, video_split_duration INTEGER, video_was_split INTEGER, archived INTEGER NOT NULL
    DEFAULT 0, retry_count INTEGER NOT NULL DEFAULT 0, retry_log TEXT, created_time TEXT NOT NULL,
    time_updated TEXT, time_last_attempted INTEGER, url TEXT, ordinal INTEGER, job_id INTEGER,
    connection_id INTEGER, bucket_name TEXT, text_data TEXT, local_path TEXT,
    touched INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS input_by_batch ON input (batch_id);
CREATE INDEX IF NOT EXISTS input_of_parent ON input (parent_file_id) WHERE parent_file_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS input_by_file ON input (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS input_unsettled ON input (project_id, batch_id)
    WHERE status NOT IN ('success', 'failed');
CREATE INDEX IF NOT EXISTS input_failed ON input (project_id, batch_id) WHERE status = 'failed';
CREATE INDEX IF NOT EXISTS input_by_touch ON input (touched);
CREATE INDEX IF NOT EXISTS input_deferred ON input (id) WHERE processing_deferred = 1 AND archived = 0;
CREATE INDEX IF NOT EXISTS input_by_job ON input (job_id) WHERE job_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS export (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, kind TEXT, source TEXT,
    directory_id INTEGER, job_id INTEGER, task_id INTEGER, file_comparison_mode TEXT, masks INTEGER,
    ann_is_complete INTEGER, status TEXT NOT NULL DEFAULT 'init', percent_complete REAL NOT NULL DEFAULT 0.0,
    status_text TEXT, file_list_length INTEGER, archived INTEGER NOT NULL DEFAULT 0,
    created_time TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT, type TEXT,
    instance_type TEXT, label_schema_id INTEGER, file_handling TEXT, share_type TEXT,
    member_list TEXT NOT NULL DEFAULT '[]',
    output_dir_action TEXT, completion_directory_id INTEGER, allow_reviews INTEGER NOT NULL DEFAULT 0,
    review_chance REAL NOT NULL DEFAULT 0, tags TEXT NOT NULL DEFAULT '[]',
    status TEXT NOT NULL DEFAULT 'draft', time_created TEXT NOT NULL, time_updated TEXT, launched TEXT,
    time_completed TEXT, tasks_due TEXT);
CREATE TABLE IF NOT EXISTS job_directory (
    job_id INTEGER NOT NULL, directory_id INTEGER NOT NULL, selected TEXT,
    PRIMARY KEY (job_id, directory_id));
CREATE TABLE IF NOT EXISTS task (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, job_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL, incoming_directory_id INTEGER, status TEXT NOT NULL DEFAULT 'available',
    time_created TEXT NOT NULL, time_updated TEXT, time_completed TEXT, assignee_user_id INTEGER,
    reviewed_since TEXT, UNIQUE (job_id, file_id));
CREATE INDEX IF NOT EXISTS task_by_file ON task (file_id);
"""

ADDED = (
    ("job", "review_chance", "REAL NOT NULL DEFAULT 0"),
    ("job", "tags", "TEXT NOT NULL DEFAULT '[]'"),
    ("job", "tasks_due", "TEXT"),
    ("task", "assignee_user_id", "INTEGER"),
    ("task", "reviewed_since", "TEXT"),
    ("instance", "root_id", "INTEGER"),
    ("instance", "deleted_time", "TEXT"),
    ("instance", "deletion_type", "TEXT"),
    ("project", "is_public", "INTEGER NOT NULL DEFAULT 0"),
    ("credential", "member_id", "INTEGER"),
    ("connection", "private_secret", "TEXT"),
    ("connection", "endpoint", "TEXT"),
    ("connection", "region", "TEXT"),
    ("media", "frame_count", "INTEGER"),
    ("media", "frame_rate", "INTEGER"),
)
"""Columns that a data folder of an earlier version lacks."""
AFTERWARDS = "UPDATE instance SET root_id = id WHERE root_id IS NULL AND data NOT LIKE '%\"root_id\"%'"
"""What such a folder's rows need."""
