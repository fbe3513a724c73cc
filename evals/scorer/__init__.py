"""How extractions are compared with labels, exactly as the scoring contract has it."""
