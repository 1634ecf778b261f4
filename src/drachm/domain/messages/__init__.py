"""What is told to somebody who has a plain telephone, or none? How long a message is, when it may come, which codes."""
