"""Model output -> checked instances. Imports no Airflow and no model library."""

from .boxes import Converted, box_instances, polygon_instances

__all__ = ["Converted", "box_instances", "polygon_instances"]
