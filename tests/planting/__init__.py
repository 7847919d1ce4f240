"""Material with a known answer, for tests and benchmarks to plant into texts. Nothing here imports what it measures."""
