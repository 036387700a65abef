"""What a project needs before predictions can come: datasets, labels and attributes, from code or a file.

In come names and a description of a label schema; what is missing is made, nothing is ever removed, and the
second time nothing is left to do. No Airflow here.
"""
