"""Link the mentions of one actor, and the reports of one meeting, across articles."""
