"""Task groups for your own DAGs."""
