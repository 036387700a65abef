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
    connection form from ``conn-fields`` alone, a group that opens for each ``section``; the hook
    derives the widgets of older versions, which have no groups, from the same data, in the same order.
    """
    return {
        "package-name": "airflow-provider-diffgram",
        "name": "Diffgram",
        "description": "Push model predictions to Diffgram, exactly once, and wait until they arrive.",
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
                        "host": "diffgram.example.com, or http://localhost",
                        "schema": "my-project, as in the URL of its page",
                        "login": "LIVE__..., from an API credential of the project",
                        "password": "from the same API credential",
                    },
                },
                "conn-fields": {
                    "dataset": {
                        "label": "Default dataset",
                        "description": "Name or id, such as night, for tasks that name no dataset.",
                        "schema": {"section": "Where things go", "type": ["string", "null"], "default": None},
                    },
                    "label_schema": {
                        "label": "Label schema",
                        "description": "Name or id. Empty: the project's default schema.",
                        "schema": {"section": "Where things go", "type": ["string", "null"], "default": None},
                    },
                    "verify": {
                        "label": "Verify TLS certificates",
                        "description": "Turn it off only to try a server with a self-signed certificate.",
                        "schema": {"section": "TLS and proxy", "type": ["boolean", "null"], "default": True},
                    },
                    "ca_bundle": {
                        "label": "CA bundle",
                        "description": "Path of a PEM file, on every worker, with the authorities to trust.",
                        "schema": {"section": "TLS and proxy", "type": ["string", "null"], "default": None},
                    },
                    "client_cert": {
                        "label": "Client certificate",
                        "description": "Path of a PEM file, on every worker, for a server that asks for one.",
                        "schema": {"section": "TLS and proxy", "type": ["string", "null"], "default": None},
                    },
                    "client_key": {
                        "label": "Key of the client certificate",
                        "description": "Path of its key, without a passphrase. Empty: in the same file.",
                        "schema": {"section": "TLS and proxy", "type": ["string", "null"], "default": None},
                    },
                    "proxy": {
                        "label": "Proxy",
                        "description": "http://host:port, without a login. Empty: HTTPS_PROXY decides.",
                        "schema": {"section": "TLS and proxy", "type": ["string", "null"], "default": None},
                    },
                    "connect_timeout": {
                        "label": "Connect (seconds)",
                        "description": "How long to wait for a connection.",
                        "schema": {
                            "section": "Timeouts",
                            "type": ["integer", "null"],
                            "default": 10,
                            "minimum": 1,
                        },
                    },
                    "read_timeout": {
                        "label": "Read (seconds)",
                        "description": "How long to wait for the next byte of an answer.",
                        "schema": {
                            "section": "Timeouts",
                            "type": ["integer", "null"],
                            "default": 60,
                            "minimum": 1,
                        },
                    },
                    "retry_timeout": {
                        "label": "Retry (seconds)",
                        "description": "How long a task keeps trying while the server is away.",
                        "schema": {
                            "section": "Timeouts",
                            "type": ["integer", "null"],
                            "default": 60,
                            "minimum": 0,
                        },
                    },
                    "requests_per_second": {
                        "label": "Packets per second, at most",
                        "description": "For each task, to leave room for people. Empty: the server's limit.",
                        "schema": {
                            "section": "Limits",
                            "type": ["integer", "null"],
                            "default": None,
                            "minimum": 1,
                        },
                    },
                    "local_root": {
                        "label": "Root of local files",
                        "description": "Folder, such as /data, that local paths must not leave. Empty: any.",
                        "schema": {"section": "Limits", "type": ["string", "null"], "default": None},
                    },
                    "packet_path": {
                        "label": "Packet path",
                        "description": "Where packets go: served (open source) or documented. Empty: auto.",
                        "schema": {
                            "section": "Limits",
                            "type": ["string", "null"],
                            "enum": ["auto", "served", "documented", None],
                            "default": None,  # a text that the form stores is taken for a secret
                        },
                    },
                },
            }
        ],
    }
