"""Benchmarks: `make bench`, or `make bench BENCH=startup` for one. Each module has `run()` and prints its figures."""
