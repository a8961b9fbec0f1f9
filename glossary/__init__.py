"""A glossary for Wagtail: terms, categories, related terms and their importer."""

__version__ = "0.1.0"
