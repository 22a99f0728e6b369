"""The reader of office documents: it starts LibreOffice, which does not run confined, so that no other reader is free.

It looks at the first bytes and the table of contents of a document, and LibreOffice at the rest. Both are kept from the
network, and may open any file of this user.
"""

from pipelines.recipe_file import build_recipe
from pipelines.workers.confinement import refuse_network
from pipelines.workers.parent import Parent, limit_memory
from pipelines.workers.protocol import ConvertDocument, NotUnderstood
from pipelines.workers.reader import answer


def main() -> None:
    parent = Parent()
    recipe = build_recipe(parent.settings())
    refuse_network()
    costs = recipe.reading_costs()
    limit_memory(recipe.limits.memory_mb + costs.memory_mb)
    parent.ready(grace_s=int(recipe.limits.item_wall_timeout_s + costs.item_s) + 10)
    for request in parent.requests():
        if isinstance(request, ConvertDocument):
            parent.send(answer(recipe, request, parent.send))
        else:
            parent.send(NotUnderstood(message="the reader of office documents reads no other files"))


if __name__ == "__main__":
    main()
