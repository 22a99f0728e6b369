"""Publishing: the files of a finished output on the Hugging Face hub."""
