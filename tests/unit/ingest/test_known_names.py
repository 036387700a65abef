"""Names on disk behave as a dictionary of names would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from airflow_provider_diffgram.ingest.server.names import Known, Pending
from airflow_provider_diffgram.models import File, Input

names = st.text(max_size=8) | st.sampled_from(["a.png", "A.png", "a%.png", "", "'; DROP TABLE packet"])
ids = st.integers(1, 2**40)


class KnownIsADictionary(RuleBasedStateMachine):
    """The same calls on a Known and on dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.known = Known()
        self.packets: set[str] = set()
        self.files: dict[str, tuple[int, int | None]] = {}
        self.inputs: dict[str, tuple[int, int]] = {}
        self.doubled: set[str] = set()

    @rule(name=names)
    def add_packet(self, name: str) -> None:
        assert self.known.add_packet(name) is (name not in self.packets)
        self.packets.add(name)

    @rule(name=names, file_id=ids, counted=st.none() | ids)
    def add_file(self, name: str, file_id: int, counted: int | None) -> None:
        self.known.add_file(File(id=file_id, original_filename=name, count_instances_changed=counted))
        self.files[name] = file_id, counted

    @rule(name=names)
    def forget_file(self, name: str) -> None:
        self.known.forget_file(name)
        self.files.pop(name, None)

    @rule(name=names)
    def add_doubled(self, name: str) -> None:
        self.known.add_doubled(name)
        self.doubled.add(name)

    @rule(most=st.integers(1, 3))
    def take_doubled(self, most: int) -> None:
        of_packets = self.doubled & self.packets
        taken = self.known.take_doubled(most)
        assert len(taken) == min(most, len(of_packets))
        assert set(taken) <= of_packets
        self.doubled -= set(taken)

    @rule(rows=st.lists(st.tuples(names | st.none(), ids, ids), max_size=3))
    def add_pending(self, rows: list[tuple[str | None, int, int]]) -> None:
        self.known.add_pending(
            Input(id=input_id, batch_id=batch_id, original_filename=name) for name, input_id, batch_id in rows
        )
        self.inputs |= {name: (input_id, batch_id) for name, input_id, batch_id in rows if name}

    @rule(name=names)
    def look_up(self, name: str) -> None:
        file = self.known.file(name)
        assert (file and (file.id, file.count_instances_changed)) == self.files.get(name)
        pending = self.known.pending(name)
        wanted = self.inputs.get(name)
        assert pending == (wanted and Pending(wanted[0], wanted[1], None, name))

    @rule(most=st.integers(0, 5))
    def first_packets(self, most: int) -> None:
        first = self.known.first_packets(most)
        assert len(set(first)) == len(first) == min(most, len(self.packets))
        assert set(first) <= self.packets

    @invariant()
    def counts(self) -> None:
        assert self.known.count_files() == len(self.files)
        assert self.known.count_new() == len(self.packets - set(self.files))


TestKnown = KnownIsADictionary.TestCase
TestKnown.settings = settings(max_examples=40, stateful_step_count=30)


def test_threads_may_read_while_names_are_added():
    known = Known()
    for number in range(500):
        known.add_file(File(id=number + 1, original_filename=str(number)))

    def read(number: int) -> bool:
        file = known.file(str(number))
        return file is not None and file.id == number + 1

    with ThreadPoolExecutor(8) as pool:
        found = pool.map(read, [*range(500)] * 4)
        added = [known.add_packet(str(number)) for number in range(500)]
        assert all(found)
    assert all(added)
