"""What people did with the predictions: jobs, their progress, corrections, and figures about the model.

A project goes in, and what was sent (:class:`~airflow_provider_diffgram.models.recorded.Recorded`).
Annotations in files, and figures, come out. Nothing here knows Airflow.
"""
