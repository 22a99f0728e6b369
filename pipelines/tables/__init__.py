"""The tables of an output and their rows: data, ledger, errors, manifest."""
