"""The steps of the loop, in order: each is a command of ours, or a few lines of this package."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deepseek_vl import chat, convert
from deepseek_vl.evaluate import __main__ as evaluate
from deepseek_vl.train import __main__ as train
from deepseek_vl.train import tokenizer
from examples.closed_loop import agreement, report, shards
from examples.closed_loop.sizes import Size
from examples.steps import Step, StepError, call, run_pipeline

RECIPES = Path(__file__).with_name("recipes")
SEEN_BY_BOTH = ("words", "answers", "lookups")  # data sets with images, which the twin gets without them
HELD_OUT_SEED = 1000
# The three ways of the paper's section 3.2.2 to go on from stage 1.
COMPARED = {
    "pictures_only": "data.text_share=null",
    "joint": "data.text_share={start: 0.7, end: 0.7}",
    "joint_warm_up": "data.text_share={start: 1.0, end: 0.7, steps: %d}",
}


@dataclass(frozen=True)
class Plan:
    """The loop in a folder.

    Args:
        texts: files and folders of plain text and Markdown, from which language is learned.
        held_out_texts: others, on which it is measured.
    """

    size: Size
    output: Path
    texts: Sequence[Path]
    held_out_texts: Sequence[Path]

    def steps(self) -> list[Step]:
        """Return all steps."""
        data = [
            Step("text", "data: text alone", partial(self._text, "text", self.texts), True),
            Step("pages", "data: pages of PDFs, for their text", partial(self._pipeline, "pages", "pages"), True),
            Step("words", "data: pictures of words and numbers", self._words, True),
            Step("answers", "data: the same with a question", self._answers, True),
            Step("charts", "data: small charts with a question", self._charts, True),
            Step("held_out", "data: what the evaluation asks about", self._held_out, True),
        ]
        model = [
            Step("derived", "data: look-ups alone, and all without images for the twin", self._derived),
            Step("tokenizer", "tokenizer", self._tokenizer),
            *(Step(f"stage{n}", f"training, stage {n}", partial(self._stage, n)) for n in (1, 2, 3)),
            Step("agreement", "judging pairs of image and text", self._agreement),
            Step("export", "export in the authors' layout", self._export),
            Step("chat", "chat about a picture", self._chat),
            *(
                Step(f"twin_stage{n}", f"training of the twin, stage {n}", partial(self._stage, n, True))
                for n in (1, 2, 3)
            ),
            Step("evaluation", "evaluation beside the twin", self._evaluation),
            *(
                Step(f"compared_{name}", f"training, compared: {name.replace('_', ' ')}", partial(self._compared, name))
                for name in COMPARED
            ),
            Step("texts", "perplexity of the compared trainings", self._texts),
            Step("report", "report", lambda: report.write(self.output, COMPARED)),
        ]
        return data + model

    @property
    def key(self) -> str:
        """What a folder must have been made with to go on in it."""
        return f"{self.size}\n{[path.name for path in (*self.texts, *self.held_out_texts)]}\n"

    def _data(self, name: str) -> Path:
        return self.output / "data" / name

    def _model(self, run: str) -> str:
        return str(self.output / "runs" / run / "model")

    def _pipeline(self, recipe: str, name: str, *settings: str) -> None:
        arguments = ["--recipe", str(RECIPES / f"{recipe}.yaml"), "--output", str(self._data(name))]
        for setting in settings:
            arguments += ["--set", setting]
        run_pipeline(arguments, self.output / "logs" / f"{name}.txt")

    def _text(self, name: str, paths: Sequence[Path]) -> None:
        arguments = ["--recipe", str(RECIPES / "text.yaml"), "--output", str(self._data(name))]
        run_pipeline([*arguments, "--input", *map(str, paths)], self.output / "logs" / f"{name}.txt")

    def _words(self) -> None:
        self._pipeline(self.size.recipe, "words", f"num_samples={self.size.words}")

    def _answers(self) -> None:
        self._pipeline(
            self.size.recipe, "answers", f"num_samples={self.size.answers}", "seed=1", "tasks={transcription: 1}"
        )

    def _charts(self) -> None:
        self._pipeline("charts", "charts", f"num_samples={self.size.charts}")

    def _held_out(self) -> None:
        """Make other samples of the same kinds, and keep those whose answer no training sample has."""
        words, charts = self.size.held_out
        seed = f"seed={HELD_OUT_SEED}"
        self._pipeline(self.size.recipe, "more_words", f"num_samples={2 * words}", seed, "tasks={transcription: 1}")
        self._pipeline("charts", "more_charts", f"num_samples={charts}", seed)
        self._text("more_text", self.held_out_texts)
        trained = [self._data("words"), self._data("answers")]
        unseen = list(shards.unseen(self._data("more_words"), trained))[:words]
        if len(unseen) < words // 2:
            raise StepError(f"only {len(unseen)} of {2 * words} held-out texts are not in the training data")
        for name, found in (
            ("words", unseen),
            ("captions", map(shards.as_caption, unseen)),
            ("charts", shards.rows(self._data("more_charts"))),
            ("text", shards.rows(self._data("more_text"))),
        ):
            shards.write(self._data(f"unseen_{name}"), ({**row, "split": "validation"} for row in found))

    def _derived(self) -> None:
        lookups = map(shards.first_turns, shards.rows(self._data("charts")))
        shards.write(self._data("lookups"), lookups)
        for name in SEEN_BY_BOTH:
            shards.write(self._data(f"{name}_blind"), map(shards.without_images, shards.rows(self._data(name))))
        # The text of the pages is learned as text; whole pages cannot be read on a picture of 256 pixels.
        pages = map(shards.without_images, shards.rows(self._data("pages")))
        shards.write(
            self._data("texts"), (row for source in (shards.rows(self._data("text")), pages) for row in source)
        )

    def _tokenizer(self) -> None:
        # Not from the words to read: their letters stay tokens of their own, and the prompts become short.
        data = [str(self._data(name)) for name in ("answers", "lookups")]
        call(
            tokenizer.main,
            "deepseek_vl.train.tokenizer",
            [
                *data,
                *("--preset", self.size.preset, "--vocabulary", str(self.size.vocabulary)),
                *("--max-samples", "2000", "--output", str(self.output / "tokenizer")),
            ],
        )

    def _sources(self, stage: int, *, blind: bool = False) -> list[str]:
        """Return the settings that name this loop's data sets, in the order of the shipped settings."""
        names = {
            1: ("words",),
            2: ("texts", "words", "answers", "lookups"),
            3: ("texts", "answers", "lookups"),
        }[stage]
        suffixed = [f"{name}_blind" if blind and name in SEEN_BY_BOTH else name for name in names]
        return [f"data.sources.{number}.path={self._data(name)}" for number, name in enumerate(suffixed)]

    def _train(self, stage: int, run: str, settings: Sequence[str]) -> None:
        arguments = [f"stage{stage}-{self.size.preset}"]
        start = [f"tokenizer={self.output / 'tokenizer'}"] if stage == 1 else []
        for setting in (*start, f"output={self.output / 'runs' / run}", *self.size.overrides, *settings):
            arguments += ["--set", setting]
        call(train.main, "deepseek_vl.train", arguments)

    def _stage(self, stage: int, blind: bool = False) -> None:
        prefix = "twin_" if blind else ""
        settings = self._sources(stage, blind=blind)
        if stage > 1:
            settings.append(f"model={self._model(f'{prefix}stage{stage - 1}')}")
        if blind and stage in self.size.twin_tokens:
            settings.append(f"data.tokens={self.size.twin_tokens[stage]}")
        if stage in self.size.steps:
            settings.append(f"optimization.steps={self.size.steps[stage]}")
        self._train(stage, f"{prefix}stage{stage}", settings)

    def _compared(self, name: str) -> None:
        steps = self.size.compared_steps
        share = COMPARED[name]
        settings = [
            f"model={self._model('stage2')}",
            f"optimization.steps={steps}",
            "optimization.schedule.kind=constant",
            share % (steps // 3) if "%d" in share else share,
        ]
        if name == "pictures_only":
            words, lookups = self._data("words"), self._data("lookups")
            settings.append(f"data.sources=[{{path: {words}, weight: 28}}, {{path: {lookups}, weight: 2}}]")
        else:
            settings += self._sources(2)
        self._train(2, f"compared_{name}", settings)

    def _evaluate(self, name: str, arguments: Sequence[str]) -> None:
        call(evaluate.main, "deepseek_vl.evaluate", [*arguments, "--output", str(self.output / "results" / name)])

    def _evaluation(self) -> None:
        model, twin = self._model("stage3"), self._model("twin_stage3")
        for name, tasks in (("words", ["held_out_answers", "held_out_characters"]), ("charts", ["held_out_answers"])):
            self._evaluate(name, [model, *tasks, "--data", str(self._data(f"unseen_{name}")), "--blind", twin])

    def _texts(self) -> None:
        models = [self._model(run) for run in ("stage2", *(f"compared_{name}" for name in COMPARED))]
        others = [word for model in models[1:] for word in ("--compare", model)]
        for name in ("text", "captions"):
            data = ["--data", str(self._data(f"unseen_{name}")), "--limit", "100"]
            self._evaluate(f"compared_{name}", [models[0], "held_out_text", *data, *others])

    def _agreement(self) -> None:
        judged = agreement.judge(Path(self._model("stage3")), "held_out_answers", self._data("unseen_words"))
        path = self.output / "results" / "agreement.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        agreement.write(judged, path)
        for way, found in judged.items():
            print(f"AUC of right against swapped pairs, as {way}: {found.auc}")

    def _export(self) -> None:
        target = self.output / "exported"
        shutil.rmtree(target, ignore_errors=True)  # what an interrupted step left
        call(convert.main, "deepseek_vl.convert", [self._model("stage3"), str(target), "--layout", "authors"])

    def _chat(self) -> None:
        picture = next(shards.rows(self._data("unseen_words")))
        path = self.output / "chat.png"
        path.write_bytes(picture["images"][0]["bytes"])
        print(f"    the picture shows: {shards.answer(picture)}")
        arguments = ["--model", str(self.output / "exported"), str(path), "--prompt", agreement.QUESTION]
        call(chat.main, "deepseek_vl.chat", [*arguments, "--max-tokens", "24", "--slots", "512"])
