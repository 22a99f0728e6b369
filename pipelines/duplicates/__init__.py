"""Near duplicates and decontamination: what is compared, how pairs are found, which sample of a group is kept."""
