"""What is known of each POST of a batch: proof that it was accepted, and who is excluded from which attempt on."""
