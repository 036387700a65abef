"""What came from where: OpenLineage and the lineage of hooks."""
