"""OpenLineage and hook lineage."""
