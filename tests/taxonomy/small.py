"""A small taxonomy as YAML: two groups and four leaves, with phrases that are easy to distinguish."""

import itertools
from pathlib import Path

from taxonomy.loader import load
from taxonomy.tree import Taxonomy

_PHRASES = {
    "reading/print": (
        ("read the text", "transcribe the page", "copy out the words", "what does it say", "type up the paragraph"),
        ("读出文字", "转写这一页", "抄下这些字", "上面写了什么", "打出这段话"),
    ),
    "reading/table": (
        ("sum the column", "which row is largest", "list the table's header", "what is in the cell", "sort the rows"),
        ("这一列求和", "哪一行最大", "列出表头", "单元格里是多少", "给各行排序"),
    ),
    "looking/counting": (
        ("how many cats", "count the chairs", "number of people", "how many wheels", "count every apple"),
        ("有几只猫", "数一数椅子", "人数是多少", "有多少个轮子", "数数苹果"),
    ),
    "looking/style": (
        ("which painting style", "is it a watercolour", "what art movement", "photo or drawing", "name the style"),
        ("是什么画风", "是水彩吗", "属于哪个流派", "照片还是绘画", "说出风格"),
    ),
}
_CONTEXTS = {
    "en": ("{}", "please {}", "{} for me", "I need this: {}", "{} here", "hello, {}"),
    "zh": ("{}", "请{}", "帮我{}", "{}，谢谢", "麻烦{}一下", "你好，{}"),
}


def yaml_text(shares: tuple[float, ...] = (0.5, 0.5)) -> str:
    """Return the small taxonomy as YAML."""
    lines = ["# A small taxonomy.", "nodes:"]
    for (group, leaves), share in zip(itertools.groupby(_PHRASES, lambda k: k.split("/")[0]), shares, strict=True):
        lines += [*_head(group, share, 2), "    nodes:"]
        for leaf in leaves:
            slug = leaf.split("/")[1]
            lines += [*_head(slug, 0.5, 6), "        prompts:"]
            for language, phrases in zip(("en", "zh"), _PHRASES[leaf], strict=True):
                lines.append(f"          {language}:  # of {slug}")
                for context, phrase in itertools.product(_CONTEXTS[language], phrases):
                    lines.append(f'            - "{context.format(phrase)}"')
            lines += [
                "        hard_negatives:",
                f"          - {{prompt: 'not {slug} at all', belongs_to: {_other(leaf)}}}",
            ]
    return "\n".join(lines) + "\n"


def _head(slug: str, share: float, indent: int) -> list[str]:
    pad = " " * indent
    return [
        f"{pad}{slug}:",
        f"{pad}  name: {{en: {slug.capitalize()}, zh: {slug}}}",
        f"{pad}  definition: {{en: All about {slug}., zh: 关于{slug}。}}",
        f"{pad}  share: {share}",
    ]


def _other(leaf: str) -> str:
    leaves = list(_PHRASES)
    return leaves[(leaves.index(leaf) + 1) % len(leaves)]


def write_small(folder: Path) -> Path:
    """Write the small taxonomy to a file."""
    path = folder / "small.yaml"
    path.write_text(yaml_text(), "utf-8")
    return path


def load_small(folder: Path) -> Taxonomy:
    """Write and load the small taxonomy."""
    return load(write_small(folder))
