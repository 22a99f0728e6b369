"""Makes the model's input from parsed requests; called in threads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepseek_vl.conversation import join_turns, render
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.scoring import Item, Question, Row, Scorer
from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.images import to_canvas, to_rgb
from deepseek_vl.serve.requests import AnswerRequest, ChatRequest, CompletionRequest, ScoreRequest
from deepseek_vl.serve.settings import Settings
from deepseek_vl.serve.structured import MISSING, JsonGrammars, JsonMask


class Prompts:
    """Makes prompts, scoring rows and masks. All methods raise ApiError."""

    def __init__(self, processor: Processor, settings: Settings):
        self.processor, self.settings = processor, settings
        self._grammars: JsonGrammars | None = None

    def chat(self, parsed: ChatRequest, images: Sequence[str | bytes]) -> tuple[Prompt, bool]:
        """Return the prompt, and whether white space at the start of the answer is left out.

        The model writes the template's space after "Assistant:" itself. In an answer that was begun, the space is the
        next word's, unless the beginning ended with white space, which the prompt leaves out.
        """
        messages = join_turns(parsed.messages)
        begun = "".join(part["text"] for part in messages[-1]["content"]) if messages[-1]["role"] == "assistant" else ""
        try:
            pieces = render(messages, continue_last=True)
        except ValueError as error:
            raise ApiError(400, str(error), param="messages") from error
        tokens = self._checked_length(self.processor.tokens(pieces), parsed, "messages")
        config, max_pixels = self.processor.config, self.settings.max_image_pixels
        canvases = tuple(to_canvas(image, config, max_pixels, k) for k, image in enumerate(images))
        return Prompt(tokens, canvases), not begun or begun != begun.rstrip()

    def completion(self, parsed: CompletionRequest) -> list[Prompt]:
        """Return the prompts of a completion."""
        config = self.processor.config
        prompts = []
        for prompt in parsed.prompts:
            if isinstance(prompt, str):
                tokens = self.processor.tokens([prompt])
            else:
                tokens = np.clip(np.array(prompt, dtype=object), -1, config.language.vocabulary).astype(np.int64)
                if (
                    not (tokens.min() >= 0 and tokens.max() < config.language.vocabulary)
                    or config.image_token in tokens
                ):
                    message = f"prompt: tokens are from 0 to {config.language.vocabulary - 1}, and not the image token"
                    raise ApiError(400, message, param="prompt")
            prompts.append(Prompt(self._checked_length(tokens, parsed, "prompt")))
        return prompts

    def _checked_length(self, tokens_T: np.ndarray, parsed: AnswerRequest, param: str) -> np.ndarray:
        """Return the tokens if they and the answer fit the context. Raises ApiError."""
        answer = parsed.sampling.max_tokens if parsed.names_max_tokens else 1
        if len(tokens_T) + answer > self.settings.context_tokens:
            raise ApiError(
                400,
                f"the prompt has {len(tokens_T)} tokens, visual tokens included, and the answer may have {answer}; "
                f"the context has {self.settings.context_tokens} tokens",
                param=param,
                code="context_length_exceeded",
            )
        return tokens_T

    def masks(self, schema: Mapping[str, Any], number: int) -> list[JsonMask]:
        """Return a mask for each of `number` answers that follow a schema."""
        try:
            self._grammars = self._grammars or JsonGrammars(self.processor)
            return self._grammars.masks(schema, number)
        except ImportError as error:
            raise ApiError(400, MISSING, param="response_format", code="unsupported") from error
        except ValueError as error:
            raise ApiError(400, f"response_format: {error}", param="response_format") from error

    def row(self, scorer: Scorer, parsed: ScoreRequest, image: str | bytes, index: int) -> Row:
        """Return image `index` of a scoring request with all questions."""
        picture = to_rgb(image, self.settings.max_image_pixels, index)
        try:
            questions = tuple(Question(text, parsed.choices) for text in parsed.questions)
            row = scorer.prepare(Item((picture,), questions))
        except ValueError as error:
            code = "context_length_exceeded" if "tokens" in str(error) else None
            raise ApiError(400, str(error), code=code) from error
        if row.tree.length > scorer.batch_tokens:
            message = f"an image with all questions and choices takes {row.tree.length} tokens; expected at most"
            raise ApiError(400, f"{message} {scorer.batch_tokens}", code="context_length_exceeded")
        return row
