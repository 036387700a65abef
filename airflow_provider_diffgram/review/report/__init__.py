"""What a comparison is shown in: the page with its charts and pictures, and the table."""
