"""Airflow provider for Diffgram: sends predictions exactly once, and waits until they are stored."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_ASSET_URIS = [
    {
        "schemes": ["diffgram"],
        "handler": "airflow_provider_diffgram.assets.diffgram.sanitize_uri",
        "factory": "airflow_provider_diffgram.assets.diffgram.create_asset",
        "to_openlineage_converter": "airflow_provider_diffgram.assets.diffgram.convert_asset_to_openlineage",
    }
]


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, as Airflow's provider manager reads it.

    A literal, so that discovery imports nothing and cannot fail. Airflow from 3.3 builds the
    connection form from ``conn-fields`` alone; the hook
    derives the widgets of older versions from the same data.
    """
    return {
        "package-name": "airflow-provider-diffgram",
        "name": "Diffgram",
        "description": "Push model predictions into Diffgram, exactly once, and wait until they are in.",
        "integrations": [
            {
                "integration-name": "Diffgram",
                "external-doc-url": "https://github.com/diffgram/diffgram",
                "tags": ["service"],
            }
        ],
        "notifications": ["airflow_provider_diffgram.notifications.diffgram.DiffgramReceiptNotifier"],
        "hooks": [
            {"integration-name": "Diffgram", "python-modules": ["airflow_provider_diffgram.hooks.diffgram"]}
        ],
        "operators": [
            {
                "integration-name": "Diffgram",
                "python-modules": [
                    "airflow_provider_diffgram.operators.diffgram",
                    "airflow_provider_diffgram.operators.setup",
                    "airflow_provider_diffgram.operators.review",
                    "airflow_provider_diffgram.operators.compare",
                    "airflow_provider_diffgram.operators.retract",
                    "airflow_provider_diffgram.operators.pull",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": "Diffgram",
                "python-modules": [
                    "airflow_provider_diffgram.sensors.diffgram",
                    "airflow_provider_diffgram.sensors.review",
                ],
            }
        ],
        "triggers": [
            {
                "integration-name": "Diffgram",
                "python-modules": [
                    "airflow_provider_diffgram.triggers.diffgram",
                    "airflow_provider_diffgram.triggers.review",
                    "airflow_provider_diffgram.triggers.review_events",
                ],
            }
        ],
        "extra-links": [
            "airflow_provider_diffgram.links.diffgram.DiffgramDatasetLink",
            "airflow_provider_diffgram.links.diffgram.DiffgramFileLink",
            "airflow_provider_diffgram.links.diffgram.DiffgramInputsLink",
            "airflow_provider_diffgram.links.diffgram.DiffgramJobLink",
            "airflow_provider_diffgram.links.diffgram.DiffgramPageLink",
        ],
        "asset-uris": _ASSET_URIS,
        "dataset-uris": _ASSET_URIS,  # the name of the key in Airflow 2
        "task-decorators": [
            {
                "class-name": "airflow_provider_diffgram.decorators.diffgram.diffgram_push_task",
                "name": "diffgram_push",
            }
        ],
        "connection-types": [
            {
                "connection-type": "diffgram",
                "hook-class-name": "airflow_provider_diffgram.hooks.diffgram.DiffgramHook",
                "hook-name": "Diffgram",
                "ui-field-behaviour": {
                    "hidden-fields": [],
                    "relabeling": {
                        "schema": "Project",
                        "login": "Client ID",
                        "password": "Client secret",
                    },
                    "placeholders": {
                        "host": "diffgram.example.com (https), or http://host",
                        "schema": "the project_string_id, such as demo-project",
                        "login": "client_id of an API credential",
                        "password": "client_secret of the same credential",
                    },
                },
                "conn-fields": {
                    "dataset": {
                        "label": "Default dataset",
                        "description": "Name or id of the dataset for tasks that set none.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "label_schema": {
                        "label": "Label schema",
                        "description": "Name or id of the label schema; empty: the project's default.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "verify": {
                        "label": "Verify TLS certificates",
                        "description": "Turn off only for a test server with a self-signed certificate.",
                        "schema": {"type": ["boolean", "null"], "default": True},
                    },
                    "ca_bundle": {
                        "label": "CA bundle",
                        "description": "Path of a PEM file with the authorities to trust, on every worker.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "client_cert": {
                        "label": "Client certificate",
                        "description": "Path of a PEM file to show to a server that asks for one.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "client_key": {
                        "label": "Key of the client certificate",
                        "description": "Path of its key, without passphrase; empty: in the same file.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "proxy": {
                        "label": "Proxy",
                        "description": "http://host:port, without credential; empty: the environment's.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "connect_timeout": {
                        "label": "Connect timeout (seconds)",
                        "description": "How long to wait for a connection.",
                        "schema": {"type": ["integer", "null"], "default": 10, "minimum": 1},
                    },
                    "read_timeout": {
                        "label": "Read timeout (seconds)",
                        "description": "How long to wait for the next byte of an answer.",
                        "schema": {"type": ["integer", "null"], "default": 60, "minimum": 1},
                    },
                    "retry_timeout": {
                        "label": "Retry timeout (seconds)",
                        "description": "How long to keep trying while the server is unreachable or down.",
                        "schema": {"type": ["integer", "null"], "default": 60, "minimum": 0},
                    },
                    "requests_per_second": {
                        "label": "Packets per second, at most",
                        "description": "A ceiling below the server's own limit; empty: as many as it takes.",
                        "schema": {"type": ["integer", "null"], "default": None, "minimum": 1},
                    },
                    "local_root": {
                        "label": "Root of local files",
                        "description": "The folder that paths of media, packets and reports must not leave.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "packet_path": {
                        "label": "Packet path",
                        "description": "Where packets go: served (open source) or documented; empty: auto.",
                        "schema": {
                            "type": ["string", "null"],
                            "enum": ["auto", "served", "documented", None],
                            "default": None,  # a text that the form stores is taken for a secret
                        },
                    },
                },
            }
        ],
    }
