"""The command line: what the operators do, by hand.

In come words from a terminal, out go words and an exit code. Each command is a function of its arguments;
the rooms that do the work for Airflow do it here too.
"""
