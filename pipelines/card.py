def export(storage): return []
