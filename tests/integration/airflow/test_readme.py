"""The Python examples of the README run as they stand, but for places and names.

Those of its first page are run word for word by tests/integration/test_first_page.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset

README = Path(__file__).parents[3] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
DAGS = {name: next(block for block in BLOCKS if f"def {name}(" in block) for name in ("contract",)}
(FIRST,) = [block for block in BLOCKS if "def nightly_predictions(" in block]
(NOTEBOOK,) = [block for block in BLOCKS if "DiffgramClient(settings)" in block]


def test_each_example_is_run_by_a_test():
    assert {*DAGS.values(), FIRST, NOTEBOOK} == set(BLOCKS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("page-0.png", "page-1.png"):
        Image.new("RGB", (300, 300), "teal").save(tmp_path / name)
    return tmp_path


@pytest.fixture
def night(client: DiffgramClient) -> int:
    return client.send(routes.create_dataset(client.project, "night")).id


def run_example(name: str, data: Path, dag_bag: Any) -> Any:
    """Load the example from the folder of the test DAGs, as Airflow would, and run it."""
    folder = Path(__file__).parent / "dags"
    path = folder / f"readme_{name}.py"
    path.write_text(DAGS[name].replace("/data/", f"{data}/"))
    try:
        bag = type(dag_bag)(str(folder))
        assert bag.import_errors == {}
        return bag.dags[name].test()
    finally:
        path.unlink()


def test_contract(data, night, client, connection, dag_bag):
    assert str(run_example("contract", data, dag_bag).state) == "success"
    (parent,) = client.send(routes.list_files(client.project, night)).file_list
    pages = client.send(routes.list_children(client.project, parent.id))
    assert {page.ordinal: page.original_filename for page in pages} == {
        0: "contract-17-page-0.png",
        1: "contract-17-page-1.png",
    }


def test_without_airflow(night, client, capsys):
    settings = client.settings
    code = NOTEBOOK
    for written, real in (
        ("https://diffgram.example.com", settings.base_url),
        ("my-project", settings.project),
        ("CLIENT_ID", settings.client_id),
        ("CLIENT_SECRET", settings.client_secret),
    ):
        assert written in code
        code = code.replace(f'"{written}"', repr(real))
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "1 expected: 1 succeeded\n"
    assert find_dataset(client, "night").id == night
