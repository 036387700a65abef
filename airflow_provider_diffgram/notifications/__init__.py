"""Words for people outside of Airflow."""
