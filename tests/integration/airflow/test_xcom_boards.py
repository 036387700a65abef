"""What mapped tasks write for each other is seen by all of them, in a DAG run of a real Airflow."""

from __future__ import annotations


def test_each_task_of_a_map_reads_what_all_have_written(run_dag):
    ran = run_dag("boards")
    assert ran.state == "success", ran.states
    assert ran.results["alone"] is False
    written = sorted(ran.results["written"], key=lambda each: len(each["after"]))
    assert [len(each["after"]) for each in written] == [1, 2, 3]
    assert all(sorted([*each["before"], each["own"]]) == each["after"] for each in written)
    assert all(each["takes_turns"] for each in written)


def test_a_second_run_does_not_read_what_the_first_has_written(run_dag):
    for _ in range(2):
        ran = run_dag("boards")
        assert min(len(each["before"]) for each in ran.results["written"]) == 0
