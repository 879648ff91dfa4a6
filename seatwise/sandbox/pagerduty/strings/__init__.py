"""What a script pulls: faults and controls, the truth, and the record of requests."""
