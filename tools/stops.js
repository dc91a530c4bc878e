/**
 * A box that scrolls is a stop for the Tab key, so that keys can scroll it; one that shows all it has is none.
 * The theme asks every box at once, after every change, which lays out the whole page; here a box is asked when
 * the browser has laid it out, which it does for what is near the screen.
 */
{
  const BOXES = "article pre, .cell_output > .output, .pst-scrollable-table-container";
  const watch = new ResizeObserver((boxes) => {
    for (const { target } of boxes) {
      const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
      if (scrolls) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll(BOXES)) {
    box.setAttribute("tabindex", "0"); // until it is known not to scroll
    watch.observe(box);
  }
}
