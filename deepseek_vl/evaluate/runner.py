"""Runs tasks on a model: likelihoods of choices, generated answers, and perplexities."""

