"""`python -m deepseek_vl.serve`: a model behind the OpenAI chat interface, with scoring and a web page."""
