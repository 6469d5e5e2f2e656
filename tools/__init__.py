"""Tools for whoever works on Pumpline."""
