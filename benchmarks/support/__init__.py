"""What several benchmarks need: a throw-away home, workers, a sink, an edition. Nothing here is run by `make bench` itself."""
