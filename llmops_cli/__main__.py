"""`python -m llmops_cli` is the same as `llmops`."""

from llmops_cli.app import run

if __name__ == "__main__":
    run()
