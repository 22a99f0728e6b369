"""Exports are loaded by the trainers' own code. The processor is LLaVA's, with a tokenizer of bytes."""

import importlib.util
import sys
import types
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from finished_output import picture, sample, write_output

from pipelines.commands import vellum

pytestmark = pytest.mark.slow
RED, BLUE = picture((200, 30, 30)), picture((30, 30, 200), "jpg", (84, 56))
TALK = [
    ("user", "<image>\nWhich colour?"),
    ("assistant", "Red."),
    ("user", "And this <image>?"),
    ("assistant", "Blue <image >, <|im_end| > is no mark."),
]
SAMPLES = [
    sample("words", text="Only words."),
    sample("chat", turns=[("system", "Be brief."), ("user", "2 + 2?"), ("assistant", "4")]),
    sample("talk", images=[RED, BLUE], turns=TALK),
    sample("caption", images=[BLUE], text="<image>\nA blue picture."),
]
MARK = "<image>"
# The template of LLaVA's processor in short, with the marks that make the loss count answers only.
PARTS = """{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}\
{{ part['text'] }}{% endif %}{% endfor %}"""
TEMPLATE = f"""{{% for message in messages %}}{{{{ message['role'] | upper }}}}: \
{{% if message['role'] == 'assistant' %}}{{% generation %}}{PARTS}<|end|>{{% endgeneration %}}\
{{% else %}}{PARTS}<|end|>{{% endif %}}
{{% endfor %}}"""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished") / "out"
    write_output(root, [("train", SAMPLES[:2]), ("train", SAMPLES[2:])])  # the first shard has no image
    return root


def export(output: Path, target: Path, layout: str) -> Path:
    assert vellum.main(["export", str(output), str(target), "--format", layout]) == 0
    return target


def installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def llava_processor() -> Any:
    """LLaVA's processor with a tokenizer of 256 bytes and its special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import CLIPImageProcessorPil, LlavaProcessor, PreTrainedTokenizerFast

    vocabulary = {letter: k for k, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|pad|>", "<|end|>", MARK])
    side = {"height": 56, "width": 56}
    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size=side),
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|end|>"),
        patch_size=14,
        vision_feature_select_strategy="full",
        chat_template=TEMPLATE,
        image_token=MARK,
    )


@pytest.mark.skipif(not installed("trl"), reason="trl is not installed")
def test_trl_collates_what_it_loads(output: Path, tmp_path: Path) -> None:
    from datasets import load_dataset
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    place = export(output, tmp_path / "trl", "trl")
    loaded = load_dataset(str(place), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(loaded) == len(SAMPLES)
    streamed = load_dataset(str(place), split="train", streaming=True, cache_dir=str(tmp_path / "cache"))
    assert [row["id"] for row in streamed] == list(loaded["id"])
    processor = llava_processor()
    collator = DataCollatorForVisionLanguageModeling(processor, assistant_only_loss=True)
    by_id = {row["id"]: row for row in loaded}
    batch = collator([by_id[each.id] for each in SAMPLES])
    assert len(batch["input_ids"]) == len(SAMPLES)
    assert len(batch["pixel_values"]) == 3
    text = processor.tokenizer.decode(batch["input_ids"][2])
    assert text.count(MARK) == 2 * (56 // 14) ** 2
    assert "Which colour?" in text
    learned = batch["labels"][2]
    answer = processor.tokenizer.decode(learned[learned >= 0])
    assert answer == "Red.<|end|>Blue <image >, <|im_end| > is no mark.<|end|>"
    only_words = collator([by_id[SAMPLES[0].id], by_id[SAMPLES[1].id]])
    assert "pixel_values" not in only_words


def llama_factory(name: str) -> types.ModuleType:
    """A module of LLaMA-Factory's readers, without its package `data`, whose import needs torchaudio."""
    package = "llamafactory.data"
    if package not in sys.modules:
        spec = importlib.util.find_spec("llamafactory")
        assert spec is not None
        assert spec.submodule_search_locations is not None
        empty = types.ModuleType(package)
        empty.__path__ = [str(Path(spec.submodule_search_locations[0]) / "data")]
        sys.modules[package] = empty
    return import_module(f"{package}.{name}")


@pytest.mark.skipif(
    not installed("llamafactory") or not installed("peft"), reason="llamafactory, or peft, is not installed"
)
def test_llama_factory_reads_its_dataset_info(output: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    place = export(output, tmp_path / "llama", "llama-factory")
    parser, converter = llama_factory("parser"), llama_factory("converter")
    found = {}
    for attributes in parser.get_dataset_list(["export-test", "export-test_plain"], str(place)):
        assert attributes.load_from == "file"
        files = sorted(map(str, (place / attributes.dataset_name).iterdir()))
        rows = load_dataset("json", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
        convert = converter.get_dataset_converter(
            attributes.formatting, attributes, types.SimpleNamespace(media_dir=str(place))
        )
        found |= {row["id"]: convert(row) for row in rows}
    assert set(found) == {each.id for each in SAMPLES}
    talk = found[SAMPLES[2].id]
    turns = [*talk["_prompt"], *talk["_response"]]
    assert [turn["content"] for turn in turns] == [content for _, content in TALK]
    assert [Path(path).read_bytes() for path in talk["_images"]] == [RED.data, BLUE.data]
    assert found[SAMPLES[1].id]["_system"] == "Be brief."
    assert found[SAMPLES[0].id]["_response"] == [{"role": "assistant", "content": "Only words."}]
    for row in found.values():
        content = "".join(turn["content"] for turn in [*row["_prompt"], *row["_response"]])
        assert content.count(MARK) == len(row["_images"] or [])


@pytest.mark.skipif(
    not all(map(installed, ("swift", "peft", "json_repair", "modelscope"))), reason="ms-swift is not installed"
)
def test_ms_swift_loads_the_files(output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = export(output, tmp_path / "swift", "ms-swift")
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(place))
    load_dataset = import_module("swift.dataset").load_dataset
    load_image = import_module("swift.template.vision_utils").load_image
    rows, _ = load_dataset(sorted(map(str, place.glob("train-*.jsonl"))), strict=True)
    found = {repr([turn["content"] for turn in row["messages"]]): row for row in rows}
    assert len(found) == len(SAMPLES)
    talk = found[repr([content for _, content in TALK])]
    assert [turn["role"] for turn in talk["messages"]] == [role for role, _ in TALK]
    assert [load_image(image["path"]).size for image in talk["images"]] == [(56, 56), (84, 56)]
    for row in rows:
        assert sum(turn["content"].count(MARK) for turn in row["messages"]) == len(row["images"] or [])


@pytest.mark.skipif(not installed("webdataset"), reason="webdataset is not installed")
def test_webdataset_reads_its_tars(output: Path, tmp_path: Path) -> None:
    import webdataset

    place = export(output, tmp_path / "wds", "webdataset")
    tars = sorted(map(str, place.glob("train-*.tar")))
    rows = {row["__key__"]: row for row in webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8")}
    assert set(rows) == {each.id for each in SAMPLES}
    talk = rows[SAMPLES[2].id]
    assert (talk["0.png"].shape, talk["1.jpg"].shape) == ((56, 56, 3), (56, 84, 3))
    assert talk["json"]["messages"][0]["content"] == TALK[0][1]
    assert rows[SAMPLES[0].id]["json"]["text"] == "Only words."


def test_datasets_reads_jsonl_of_each_kind(output: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    place = export(output, tmp_path / "jsonl", "jsonl")
    for kind, number in (("conversations", 1), ("texts", 1), ("plain-conversations", 1), ("plain-texts", 1)):
        files = sorted(map(str, place.glob(f"train-{kind}-*.jsonl")))
        assert len(load_dataset("json", data_files=files, split="train", cache_dir=str(tmp_path / kind))) == number
