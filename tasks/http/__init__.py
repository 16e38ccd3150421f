"""HTTP requests that surely end in time, and that know whether any byte of their body was sent."""
