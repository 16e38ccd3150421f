"""What the provider reports: webhook bodies are kept, then applied to deliveries, counters and the lists."""
