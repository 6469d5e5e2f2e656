"""When things happen: dates and heartbeats. Knows nothing of patients, tables or words."""
