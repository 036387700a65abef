"""Get things into Diffgram, each once, and know when they are in. No Airflow here.

In order of the story: :mod:`.read` what a task was given, :mod:`.check` it, see what is on the
:mod:`.server`, :mod:`.send` each item once, :mod:`.watch` until all are in. :mod:`.validation` only checks.
"""
