"""What a pair has to stand: to be installed and imported, the tests, and the example DAGs."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from .environment import ROOT, Command, StepFailed, Wheels, clean_environment, make, problem_of, run
from .rows import Pair, pinned

PACKAGE = "airflow_provider_diffgram"
EXTRAS = "dev"
TOOLS = ("benchmarks", "chaos", "compat", "e2e")
"""What is developed with, and run on the newest Airflow alone."""
AT_ONCE = ("--numprocesses", "logical", "--maxprocesses", "4", "--dist", "loadfile")
"""As ``make test``."""


def try_out(pair: Pair, interpreter: Path, wheels: Wheels, tree: Path, folder: Path) -> None:
    """Install, import, test and run the example DAGs; everything it leaves is in ``folder``.

    :param tree: of :func:`copy_tree`.
    :raises StepFailed: if anything fails; tests that fail do not keep the DAGs from being run.
    """
    folder.mkdir(parents=True)
    airflow = pinned("apache-airflow", pair.constraints)
    requirements = [*wheels.requirements(EXTRAS), f"apache-airflow=={airflow}"]
    try:
        python = make(folder / "venv", interpreter, requirements, pair.constraints, folder / "install.log")
        env = environment(python, folder)
        imported: Command = [python, tree / "compat" / "imports.py", airflow, pair.python]
        run(imported, folder / "import.log", "import", 600, folder, env)
        tests: Command = [
            python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *AT_ONCE,
            *_tests(tree, pair.is_newest),
        ]
        demo: Command = [python, "-m", "demo", "--build", folder / "demo"]
        problems = [
            problem_of(tests, folder / "tests.log", "tests", 5400, tree, env),
            problem_of(demo, folder / "dags.log", "example DAGs", 1800, tree, env),
        ]
        if any(problems):
            raise StepFailed("; ".join(filter(None, problems)))
    finally:
        shutil.rmtree(folder / "venv", ignore_errors=True)  # 13 of them would be 15 GB


def copy_tree(tree: Path, wheel: Path, root: Path = ROOT) -> Path:
    """Copy what git tracks, or would, with the wheel's content in place of the package.

    So nobody's edits reach rows that come later, and what is tested is what was built.

    :param root: checkout that is copied.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = root / name, tree / name
        if source.is_file() and not name.startswith(f"{PACKAGE}/"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tree, [name for name in archive.namelist() if name.startswith(f"{PACKAGE}/")])
    return tree


def environment(python: Path, folder: Path) -> dict[str, str]:
    """Return the environment of an Airflow that keeps everything in ``folder``."""
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return clean_environment() | {"AIRFLOW_HOME": str(folder / "airflow"), "PATH": path}


def _tests(tree: Path, is_all: bool) -> list[Path]:
    if is_all:
        return [tree / "tests", tree / "emulator" / "tests"]
    return [path for path in sorted((tree / "tests" / "unit").iterdir()) if _is_of_package(path)]


def _is_of_package(path: Path) -> bool:
    return path.name.startswith("test_") or (path.is_dir() and path.name not in (*TOOLS, "__pycache__"))
