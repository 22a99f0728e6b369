"""Sources: each lists work units and turns one unit into samples. This room knows nothing of Beam."""
