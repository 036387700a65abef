"""The domain: get things into Diffgram exactly once, and know when they are in. Knows nothing of Airflow."""
