"""Filters: each gives named scores for a sample; a threshold turns scores into a reason code. No Beam here."""
