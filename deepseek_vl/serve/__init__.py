"""`python -m deepseek_vl.serve`: serves a model with the OpenAI chat API, a scoring API and a web page."""
