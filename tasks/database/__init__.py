"""What sending once demands of PostgreSQL: durable commits, the order of locks, one clock, one identity."""
