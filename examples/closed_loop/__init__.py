"""The closed loop: data, tokenizer, three stages of training, evaluation, chat, and judging pairs of image and text."""
