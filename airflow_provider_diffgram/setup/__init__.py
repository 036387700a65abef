"""Creates what a project needs before predictions are sent: datasets, labels and attributes.

In: names, and the description of a label schema from code or a file. Out: what was created. Nothing is ever
removed, and a second call has nothing to do. Imports no Airflow.
"""
