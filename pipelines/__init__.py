"""Pipelines: recipe, graph, staging, ledger, shards, card, report. The only room that imports Beam."""
