"""The command line, which does manually what the operators do.

Each command is a function of its arguments, prints its result, and returns an exit code. It uses the same
code as the operators.
"""
