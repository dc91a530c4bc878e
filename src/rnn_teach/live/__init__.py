"""Figures that stay alive: matplotlib pictures with sliders, in a kernel and on a static page."""

from .controls import Control
from .figure import BUILD, LiveFigure, interact

__all__ = ["BUILD", "Control", "LiveFigure", "interact"]
