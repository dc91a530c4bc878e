/**
 * What formulas do where scripts run: they are copied as TeX, and a box that scrolls can be reached by keyboard.
 * A page without scripts can be read, seen and heard as well.
 */
{
  const FORMULA = "mjx-container";

  document.documentElement.toggleAttribute("data-formulas", true); // all are read: they may be heard

  /** A formula as an author writes it. @param {Element} formula @returns {string} */
  const tex = (formula) => {
    const sign = formula.hasAttribute("display") ? "$$" : "$";
    return `${sign}${/** @type {HTMLElement} */ (formula).dataset.tex}${sign}`;
  };

  /** The formula that a place lies in. @param {Node} place @returns {Element | null | undefined} */
  const around = (place) => (place instanceof Element ? place : place.parentElement)?.closest(FORMULA);

  /** What is selected, formulas as TeX; a formula that is selected in part counts whole. @param {Selection} selection @returns {HTMLElement} */
  const selected = (selection) => {
    const copy = document.createElement("div");
    for (let i = 0; i < selection.rangeCount; i += 1) {
      const range = selection.getRangeAt(i).cloneRange();
      const [first, last] = [around(range.startContainer), around(range.endContainer)];
      if (first) range.setStartBefore(first);
      if (last) range.setEndAfter(last);
      copy.append(range.cloneContents());
    }
    return copy;
  };

  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    const focused = /** @type {Element} */ (event.target).closest?.(FORMULA);
    if (!event.clipboardData || !selection) return;
    if (selection.isCollapsed) {
      if (!focused) return;
      event.clipboardData.setData("text/plain", tex(focused));
      return event.preventDefault();
    }
    const copy = selected(selection);
    const formulas = copy.querySelectorAll(FORMULA);
    if (formulas.length === 0) return;
    for (const formula of formulas) formula.replaceWith(tex(formula));
    for (const unread of copy.querySelectorAll("script, style, .mjx-outlines, .headerlink")) unread.remove();
    // lines are broken where the page breaks them, which only a browser that lays it out knows
    copy.className = "mjx-copied";
    document.body.append(copy);
    event.clipboardData.setData("text/plain", copy.innerText);
    event.clipboardData.setData("text/html", copy.innerHTML);
    copy.remove();
    event.preventDefault();
  });

  // a browser paints what is selected behind letters, and here are none to it
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    for (const formula of document.querySelectorAll(FORMULA))
      formula.toggleAttribute("data-selected", Boolean(selection && !selection.isCollapsed && selection.containsNode(formula, true)));
  });

  // where symbols have their meaning, symbols.js makes a stop of a formula, whether it scrolls or not
  const watch = new ResizeObserver((boxes) => {
    for (const { target } of boxes) {
      if (target.scrollWidth > target.clientWidth || target.hasAttribute("data-known")) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll(`${FORMULA}[display]`)) {
    box.setAttribute("tabindex", "0"); // until it is known not to scroll
    watch.observe(box);
  }
}
