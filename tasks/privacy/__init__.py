"""What is held of one person: all of it in a file, none of it any more, or none of it after a time."""
