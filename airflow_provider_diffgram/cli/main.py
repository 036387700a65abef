"""The command line itself: its arguments, and its exit codes."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, get_args

from .. import __version__
from ..models.problems import did_you_mean

OK, FAILED, USAGE, STOPPED = 0, 1, 2, 130
"""Exit codes: done; failed, with the reason in the output; wrong command line; Ctrl-C."""


class _Parser(argparse.ArgumentParser):
    """Reports in one line what is wrong with a command line, and what was probably meant."""

    commands: Mapping[str, argparse.ArgumentParser] = MappingProxyType({})

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse a command line; refuse options of another command, naming this one."""
        given, unknown = self.parse_known_args(args, namespace)
        if unknown:
            command = self.commands.get(given.command, self)
            known = [option for option in command._option_string_actions if option.startswith("--")]
            named = next((each for each in unknown if each.startswith("-")), unknown[0])
            word = named.partition("=")[0]
            command.error(f"there is no {word!r} here{did_you_mean(word, known)}")
        return given

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, and exit."""
        choice = re.match(r"(argument .*: )?invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if choice is not None:
            known = [each.strip("' ") for each in choice[3].split(",")]
            message = f"{message}{did_you_mean(choice[2], known)}"
        self.exit(USAGE, f"{self.prog}: {message}. See {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = _Parser(
        "diffgram-airflow",
        description="Send predictions to Diffgram by hand, with the functions of the operators.",
        epilog="More: diffgram-airflow push --help. Exit codes: 0 done, 1 not done, 2 wrong usage, "
        "130 stopped by Ctrl-C.",
    )
    made.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    every = _Parser(add_help=False)
    every.add_argument(
        "--conn-id",
        default="diffgram_default",
        help="id of the Airflow connection, from the environment, a secrets backend or Airflow's database "
        "(%(default)s)",
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made.commands = commands.choices

    def command(name: str, words: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words, description=words, parents=[every])

    doctor = command("doctor", "check everything that a push needs, and say what is wrong and what to do")
    _target(doctor)

    push = command("push", "send packets to a dataset, each exactly once")
    _packets(push)
    _target(push)
    _sending(push)
    push.add_argument(
        "--wait", action="store_true", help="wait until they have arrived, with their predictions"
    )
    push.add_argument("--timeout", type=float, default=3600.0, help="most seconds to wait (%(default)s)")
    push.add_argument("--handle", help="file to write the handle to, for a later wait")

    validate = command("validate", "check a whole prediction set as a push would, and send nothing")
    _packets(validate)
    _target(validate)
    validate.add_argument("--page", help="path of an HTML page to write")
    validate.add_argument("--report", help="path of a JSON Lines file with a line for each packet")
    validate.add_argument(
        "--max-invalid", type=float, default=0, help="how many are allowed; below 1, a share"
    )

    preview = command("preview", "draw packets over their pictures, without a server")
    _packets(preview)
    preview.add_argument("--folder", default="preview", help="folder to write index.html to (%(default)s)")
    preview.add_argument("--most", type=int, default=100, help="most packets to draw (%(default)s)")

    wait = command("wait", "wait until what a push sent has arrived")
    wait.add_argument(
        "handle", help="path of a handle that push --handle wrote, or its JSON; - for standard input"
    )
    wait.add_argument("--timeout", type=float, default=3600.0, help="most seconds to wait (%(default)s)")
    wait.add_argument("--report", help="path of a JSON Lines file with a line for each input")

    pull = command("pull", "write annotations to a folder: a new version, unless nothing changed")
    pull.add_argument("folder", help="folder for this set alone, local or in object storage")
    _pulling(pull)

    compare = command("compare", "measure the predictions of a record by what people did with them")
    compare.add_argument(
        "record", nargs="+", help="file that push --record wrote; if several, the oldest first"
    )
    compare.add_argument("--review", help="folder of a pulled version; by default Diffgram is read")
    compare.add_argument("--job", type=int, help="id of the job whose tasks count; by default all tasks")
    compare.add_argument("--page", help="path of an HTML page to write")
    compare.add_argument("--metrics", help="path of a JSON file with all figures")
    compare.add_argument("--report", help="path of a JSON Lines file with a line for each prediction")
    compare.add_argument("--history", help="JSON Lines file to which each comparison adds a line")
    compare.add_argument("--run", default="by hand", help="name of the comparison (%(default)s)")

    dataset = command("dataset", "list or create datasets")
    dataset.add_argument("action", choices=("list", "create"))
    dataset.add_argument("name", nargs="?", help="name of the dataset to create")

    labels = command("labels", "list or create labels")
    labels.add_argument("action", choices=("list", "create"))
    labels.add_argument("names", nargs="*", help="names of the labels to create")
    labels.add_argument("--label-schema", help="name or id")

    schema = command(
        "schema", "labels and attributes from a file: plan, apply, export; nothing is ever removed"
    )
    schema.add_argument("action", choices=("plan", "apply", "export"))
    schema.add_argument("file", nargs="?", help="YAML file with the description; - for standard input")
    schema.add_argument("--label-schema", help="name or id of the schema to export")
    return made


def _pulling(command: argparse.ArgumentParser) -> None:
    from ..review.sets.formats import FORMATS

    source = command.add_mutually_exclusive_group()
    source.add_argument("--dataset", help="name or id; by default the connection's default dataset")
    source.add_argument("--job", type=int, help="id of a job")
    source.add_argument("--handle", help="path of a handle that push --handle wrote, or its JSON")
    command.add_argument("--format", choices=FORMATS, default="packets", help="(%(default)s)")
    command.add_argument(
        "--only",
        choices=("complete", "all"),
        default="complete",
        help="files whose tasks people have completed, or all files (%(default)s)",
    )
    command.add_argument("--media", choices=("none", "link", "copy"), default="none", help="(%(default)s)")


def _packets(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "packets",
        help="JSON Lines file, one packet per line, local or in object storage, may be compressed (.gz)",
    )


def _target(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dataset", help="name or id; by default the connection's default dataset")
    command.add_argument(
        "--label-schema", help="name or id; by default the connection's, or else the project's"
    )


def _sending(command: argparse.ArgumentParser) -> None:
    from ..ingest.check.labels import UnknownLabels
    from ..ingest.send.decisions.decide import DeliverBy, IfExists

    command.add_argument(
        "--if-exists",
        choices=get_args(IfExists),
        default="skip",
        help="what to do with existing files (%(default)s)",
    )
    command.add_argument(
        "--unknown-labels",
        choices=get_args(UnknownLabels),
        default="fail",
        help="what to do with labels that are missing from the schema (%(default)s)",
    )
    command.add_argument("--model", help="model of predictions that name none")
    command.add_argument("--run", help="run of that model")
    command.add_argument("--max-failed", type=float, default=0, help="how many are allowed; below 1, a share")
    command.add_argument("--report", help="path of a JSON Lines file with the outcome of each packet")
    command.add_argument("--record", help="JSON Lines file to write what was sent to, for compare")
    command.add_argument(
        "--delivery",
        choices=get_args(DeliverBy),
        default="auto",
        help="media by URL: upload from here, queue for Diffgram to fetch, or automatic (%(default)s)",
    )
    command.add_argument("--concurrency", type=int, help="most requests at once")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    given = parser().parse_args(arguments)
    from ..client import DiffgramError
    from ..models import InvalidValueError
    from . import commands
    from .errors import NoConnectionError, UsageError
    from .show import telling_log

    try:
        with telling_log():
            return commands.COMMANDS[given.command](given)
    except UsageError as error:
        sys.stderr.write(f"diffgram-airflow {given.command}: {error}\n")
        return USAGE
    except (NoConnectionError, InvalidValueError, DiffgramError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'a file'}: {error.strerror or error}\n")
        return FAILED
    except KeyboardInterrupt:
        goes_on = given.command in ("push", "wait", "pull")
        more = ". What was done stays; the same command goes on where this one ended" if goes_on else ""
        sys.stderr.write(f"stopped{more}\n")
        return STOPPED
