def export(storage):
    return []
