"""Instruction writers: each turns ground truth into a question and the answer that follows from it."""
