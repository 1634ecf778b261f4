"""What do many charges say together? How times are counted, and which numbers are too small to show."""
