"""The provider's metadata, as Airflow discovers it."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import subprocess
import sys

import pytest

import airflow_provider_diffgram
from airflow_provider_diffgram import get_provider_info
from airflow_provider_diffgram.assets.diffgram import (
    convert_asset_to_openlineage,
    create_asset,
    sanitize_uri,
)
from airflow_provider_diffgram.hooks.diffgram import DiffgramHook
from airflow_provider_diffgram.links.diffgram import LINKS, PAGE_LINKS
from airflow_provider_diffgram.operators.compare import DiffgramCompareOperator
from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramSendPacketOperator,
    DiffgramUploadChildrenOperator,
    DiffgramValidatePacketsOperator,
)
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator
from airflow_provider_diffgram.operators.retract import DiffgramRetractPredictionsOperator
from airflow_provider_diffgram.operators.review import DiffgramAddTasksOperator, DiffgramCreateJobOperator
from airflow_provider_diffgram.operators.setup import (
    DiffgramApplySchemaOperator,
    DiffgramCreateDatasetOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor
from airflow_provider_diffgram.sensors.review import DiffgramReviewSensor

INFO = get_provider_info()
TYPE = INFO["connection-types"][0]
OPERATORS = (
    DiffgramSendPacketOperator,
    DiffgramCreateCompoundFileOperator,
    DiffgramUploadChildrenOperator,
    DiffgramValidatePacketsOperator,
    DiffgramCreateDatasetOperator,
    DiffgramApplySchemaOperator,
    DiffgramCreateJobOperator,
    DiffgramAddTasksOperator,
    DiffgramPullAnnotationsOperator,
    DiffgramCompareOperator,
    DiffgramRetractPredictionsOperator,
)


def import_string(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_the_package_is_named_like_its_distribution():
    assert INFO["package-name"] == importlib.metadata.distribution("airflow-provider-diffgram").name
    assert importlib.metadata.version("airflow-provider-diffgram") == airflow_provider_diffgram.__version__


def test_the_entry_point_leads_to_the_metadata():
    (entry,) = [
        each
        for each in importlib.metadata.entry_points(group="apache_airflow_provider")
        if each.value.startswith("airflow_provider_diffgram:")
    ]
    assert entry.load()() == INFO


def test_the_metadata_imports_nothing_but_itself():
    code = (
        "import sys; before = set(sys.modules); import airflow_provider_diffgram as p; p.get_provider_info();"
        "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout.splitlines()[-1])) - {"json", "json.decoder", "json.encoder"}
    assert {name for name in imported if name.startswith(("airflow", "requests", "pydantic", "httpx"))} == {
        "airflow_provider_diffgram"
    }


def test_the_fields_of_the_form_are_in_groups_those_that_everybody_fills_in_first():
    fields = INFO["connection-types"][0]["conn-fields"].values()
    groups = [field["schema"]["section"] for field in fields]
    assert list(dict.fromkeys(groups)) == ["Where things go", "TLS and proxy", "Timeouts", "Limits"]
    assert sorted(groups, key=list(dict.fromkeys(groups)).index) == groups, "each group is in one place"
    assert all(len(field["description"]) < 75 for field in fields), "each description is a line"


def test_all_named_modules_can_be_imported():
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for entry in INFO[kind]:
            for module in entry["python-modules"]:
                importlib.import_module(module)


def test_links_and_the_handlers_of_assets_are_what_airflow_looks_for():
    """By name, since a name that leads nowhere is only logged."""
    found = [import_string(name) for name in INFO["extra-links"]]
    assert found == [type(link) for link in PAGE_LINKS]
    (uris,) = INFO["asset-uris"]
    assert INFO["dataset-uris"] == [uris], "Airflow 2 reads it under this name"
    assert uris["schemes"] == ["diffgram"]
    functions = [import_string(uris[key]) for key in ("handler", "factory", "to_openlineage_converter")]
    assert functions == [sanitize_uri, create_asset, convert_asset_to_openlineage]


@pytest.mark.parametrize("task", [*OPERATORS, DiffgramInputSensor, DiffgramReviewSensor])
def test_every_operator_and_sensor_has_the_links(task):
    writes_a_page = "page" in task.template_fields
    assert task.operator_extra_links == (PAGE_LINKS if writes_a_page else LINKS)


def test_airflow_discovers_the_provider_and_its_connection_type():
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    assert "airflow-provider-diffgram" in manager.providers
    assert manager.hooks["diffgram"].hook_name == DiffgramHook.hook_name == TYPE["hook-name"]
    assert TYPE["connection-type"] == DiffgramHook.conn_type
    assert TYPE["hook-class-name"].endswith(f".{DiffgramHook.__qualname__}")


def test_the_metadata_has_the_form_that_airflow_demands():
    jsonschema = pytest.importorskip("jsonschema", reason="only Airflow versions that use it install it")
    from airflow.providers_manager import _create_provider_info_schema_validator

    validator = _create_provider_info_schema_validator()
    assert isinstance(validator, jsonschema.protocols.Validator)
    validator.validate(INFO)


def test_forms_of_old_and_new_airflow_say_the_same():
    behaviour = DiffgramHook.get_ui_field_behaviour()
    assert behaviour["relabeling"] == TYPE["ui-field-behaviour"]["relabeling"]
    assert behaviour["relabeling"]["schema"] == "Project"
    assert set(behaviour["placeholders"]) == {"host", "schema", "login", "password"}


def test_the_form_has_no_field_for_a_secret_in_extra():
    """Extras are masked by their names only; the one secret is the password."""
    assert not any("secret" in name or "password" in name for name in TYPE["conn-fields"])


def test_no_field_of_the_form_has_a_text_by_itself():
    """Airflow takes a text that the form stores for a secret, and warns if it is too short to be masked."""
    fields = TYPE["conn-fields"]
    assert [name for name, field in fields.items() if isinstance(field["schema"]["default"], str)] == []
