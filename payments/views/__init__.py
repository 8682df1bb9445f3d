"""Pages about money, one file per step."""
