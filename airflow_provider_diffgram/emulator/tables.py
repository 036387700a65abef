"""The tables of the emulator's SQLite file."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS project (
    id INTEGER PRIMARY KEY AUTOINCREMENT, string_id TEXT NOT NULL UNIQUE, created_time TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS credential (
    client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL, project_id INTEGER NOT NULL, role TEXT NOT NULL);
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
    split_duration INTEGER, created_time TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, directory_id INTEGER, type TEXT,
    original_filename TEXT, state TEXT NOT NULL DEFAULT 'added', parent_id INTEGER,
    ordinal INTEGER NOT NULL DEFAULT 0, hash TEXT, created_time TEXT NOT NULL, time_last_updated TEXT,
    count_instances_changed INTEGER, ann_is_complete INTEGER, bucket_name TEXT, connection_id INTEGER,
    media_id INTEGER, video_parent_file_id INTEGER, frame_number INTEGER, label_id INTEGER,
    label_schema_id INTEGER, colour TEXT);
CREATE INDEX IF NOT EXISTS file_by_directory ON file (directory_id, original_filename);
CREATE INDEX IF NOT EXISTS file_by_parent ON file (parent_id);
CREATE INDEX IF NOT EXISTS file_by_video ON file (video_parent_file_id, frame_number);
CREATE TABLE IF NOT EXISTS instance (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL, label_file_id INTEGER, type TEXT NOT NULL,
    identity TEXT NOT NULL, soft_delete INTEGER NOT NULL DEFAULT 0, created_time TEXT NOT NULL,
    data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS instance_by_file ON instance (file_id);
CREATE TABLE IF NOT EXISTS attribute_value (
    instance_id INTEGER NOT NULL, file_id INTEGER NOT NULL, group_id INTEGER NOT NULL, option_id INTEGER,
    value TEXT);
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
    time_created TEXT NOT NULL);
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
CREATE INDEX IF NOT EXISTS input_by_parent ON input (parent_file_id);
CREATE INDEX IF NOT EXISTS input_by_touch ON input (touched);
CREATE INDEX IF NOT EXISTS input_waiting ON input (processing_deferred);
"""
