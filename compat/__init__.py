"""``make compat``: the built wheel on every supported pair of Airflow and Python."""
