"""The book's glue: what Sphinx must know to make pages of the notebooks."""

from __future__ import annotations

from sphinx.application import Sphinx

from . import citations, csp, executed, figures, kernels, questions, setting, slides, symbols


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this: kernels started from now on compute every state of their figures."""
    kernels.tell(app)
    app.connect("env-get-outdated", executed.outdated)
    app.connect("env-before-read-docs", executed.execute)
    app.add_css_file("live.css")
    app.add_role("set", setting.SettingRole())
    app.connect("doctree-resolved", setting.resolve)
    app.connect("doctree-resolved", figures.mark)
    app.connect("html-page-context", figures.lay)
    app.connect("build-finished", figures.copy_style)
    questions.setup(app)
    slides.setup(app)
    symbols.setup(app)
    citations.setup(app)
    app.connect("build-finished", csp.write, priority=900)  # after all who write or change pages
    return {"parallel_read_safe": True, "parallel_write_safe": True}
