"""The kinds of diagrams, each with its specification, drawing, data, description and questions."""
