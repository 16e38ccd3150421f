"""What a person must look at: raised once, shown at the desk and, where it cannot wait, mailed to the editors."""
