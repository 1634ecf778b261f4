"""How does a text message leave the house? In a sandbox into a file or onto the console; there is no gateway yet."""
