"""``make e2e``: the built wheel in a real Airflow, by hand in a browser and on several workers."""
