"""The book's figures by name, one module a chapter: cells, diagnostics and live figures put together."""
