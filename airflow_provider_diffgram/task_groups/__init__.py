"""Groups of tasks for DAGs of your own."""
