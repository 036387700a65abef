"""What a project needs before predictions are sent: datasets, labels and attributes, from code or a file.

Names and a description of a label schema go in; what is missing is created. Nothing is ever removed, and a
second call has nothing to do. No Airflow here.
"""
