"""What words mean: dates, countries, places, offices, names."""
