"""Side-by-side ratios against what one would write first. `python -m bench` runs all; docs/performance.md explains."""
