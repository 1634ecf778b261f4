"""Where do the books live, and how does a decision reach them? PostgreSQL: embedded by default, any server by URL."""
