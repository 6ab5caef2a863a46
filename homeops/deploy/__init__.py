"""Deploys: what makes one due, how it is followed to its end, what its failure says."""
