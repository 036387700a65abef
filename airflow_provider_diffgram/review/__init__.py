"""What people did with the predictions: jobs, their state, corrections, and what they say of the model.

In come a project, and what was sent (:class:`~airflow_provider_diffgram.models.recorded.Recorded`); out go
annotations in files, and figures. Nothing here knows Airflow.
"""
