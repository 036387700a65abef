"""``python imports.py AIRFLOW PYTHON``: import all of the installed package, and let Airflow find it.

Run by a row's interpreter from its own folder, so that nothing but the wheel can be imported.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import warnings
from pathlib import Path

PACKAGE = "airflow_provider_diffgram"


def main(airflow_version: str, python_version: str) -> None:
    """Raise whatever is wrong."""
    warnings.filterwarnings("error", module=PACKAGE)
    import airflow

    package = importlib.import_module(PACKAGE)
    told = f"{airflow.__version__} on {sys.version_info[0]}.{sys.version_info[1]}"
    wanted = f"{airflow_version} on {python_version}"
    if told != wanted:
        raise SystemExit(f"this is Airflow {told}, not {wanted}")
    if not Path(package.__file__ or "").is_relative_to(sys.prefix):
        raise SystemExit(f"{package.__file__} is not the installed package")
    names = [each.name for each in pkgutil.walk_packages(package.__path__, f"{PACKAGE}.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    if "airflow-provider-diffgram" not in manager.providers:
        raise SystemExit("Airflow does not find the provider")
    hook = manager.hooks.get("diffgram")
    if hook is None:
        raise SystemExit("Airflow does not know the connection type diffgram")
    print(f"Airflow {told}: {len(names)} modules; {hook}")


if __name__ == "__main__":
    main(*sys.argv[1:])
