/**
 * The slide view of a page: its figures, and the predictions before them, one after another on the whole screen.
 * What is shown is the page's own element, moved into a dialog and back, so that it keeps its state.
 */

/** Where a key leads, or undefined where it leads nowhere. A presenter's remote control sends PageDown and PageUp.
 * @param {string} key @param {boolean} busy whether a control has the focus, which needs the arrow keys itself
 * @param {number} index of the present slide @param {number} count of all @returns {number | undefined} */
export function turned(key, busy, index, count) {
  const on = key === "PageDown" || (!busy && (key === "ArrowRight" || key === " "));
  const back = key === "PageUp" || (!busy && key === "ArrowLeft");
  const to = index + Number(on) - Number(back);
  return to !== index && to >= 0 && to < count ? to : undefined;
}

/** The slide to begin with: the one that the address names, or the first.
 * @param {string[]} names of the slides @param {string} hash @returns {number} */
export function first(names, hash) {
  return Math.max(0, names.indexOf(hash.replace(/^#|\?.*/g, "")));
}

/** Serve the button, and show slides at once where the address asks for them. */
export function start() {
  const slides = /** @type {HTMLElement[]} */ ([
    ...document.querySelectorAll("figure.live, form.question[data-prediction]"),
  ]);
  const headings = [...document.querySelectorAll("article h1, article h2, article h3")];
  const names = slides.map(({ id }) => id);
  const dialog = document.createElement("dialog");
  dialog.className = "slides";
  dialog.setAttribute("aria-labelledby", "slides-title");
  dialog.innerHTML =
    '<p class="slides-title" id="slides-title"></p><div class="slides-stage" tabindex="-1"></div>' +
    '<div class="slides-bar"><span class="slides-keys" aria-hidden="true">PageUp and PageDown turn, Esc leaves</span>' +
    '<span class="slides-place" role="status"></span></div>';
  const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (dialog.querySelector(`.slides-${name}`));
  const button = (/** @type {string} */ text, /** @type {() => void} */ act) => {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: "slides-button", textContent: text });
    made.addEventListener("click", act);
    find("bar").append(made);
    return made;
  };
  const previous = button("Previous", () => show(shown - 1));
  const next = button("Next", () => show(shown + 1));
  if (document.fullscreenEnabled) button("Full screen", fill);
  button("Leave", () => dialog.close());
  document.body.append(dialog);
  const place = document.createComment("on a slide");
  let shown = -1;

  /** The heading that a slide stands under, without its link sign. @param {Element} slide */
  function title(slide) {
    const before = headings.filter((heading) => heading.compareDocumentPosition(slide) & 4);
    const copy = /** @type {Element | undefined} */ (before.pop()?.cloneNode(true));
    copy?.querySelector(".headerlink")?.remove();
    return copy?.textContent ?? "";
  }

  /** Back to its place on the page. */
  function takeDown() {
    if (shown >= 0) place.replaceWith(slides[shown]);
    shown = -1;
  }

  /** @param {number} index */
  function show(index) {
    takeDown();
    const slide = slides[index];
    find("title").textContent = title(slide);
    const picture = /** @type {SVGSVGElement | null} */ (slide.querySelector(".live-picture svg"));
    if (picture) {
      const { width, height } = picture.viewBox.baseVal;
      slide.style.setProperty("--slide-ratio", String(width / height));
    }
    slide.replaceWith(place);
    find("stage").replaceChildren(slide);
    shown = index;
    find("place").textContent = `${index + 1} of ${slides.length}`;
    /** @type {HTMLButtonElement} */ (previous).disabled = index === 0;
    /** @type {HTMLButtonElement} */ (next).disabled = index === slides.length - 1;
    find("stage").focus();
    if (first(names, location.hash) !== index || !location.hash)
      history.replaceState(history.state, "", `?slides#${names[index]}`);
  }

  /** @param {number} index */
  function open(index) {
    dialog.showModal();
    show(index);
  }

  /** What is shown full screen lies above a dialog that was open before. */
  async function fill() {
    if (document.fullscreenElement) return document.exitFullscreen();
    await document.documentElement.requestFullscreen();
    dialog.close();
    dialog.showModal();
    find("stage").focus();
  }

  dialog.addEventListener("close", () => {
    if (dialog.open) return; // it is back already, above the page that is full screen now
    const slide = slides[shown];
    takeDown();
    history.replaceState(history.state, "", location.pathname + location.hash);
    slide.scrollIntoView({ block: "center" });
  });
  document.addEventListener("keydown", (event) => {
    if (!dialog.open) return;
    if (event.key === "Escape") dialog.close(); // the theme keeps this key from the browser, for its search
    const busy = /** @type {Element} */ (event.target).matches("input, select, button, a, summary, mjx-container");
    const to = turned(event.key, busy, shown, slides.length);
    if (event.key === "PageDown" || event.key === "PageUp" || to !== undefined) event.preventDefault();
    if (to !== undefined) show(to);
  }, { capture: true });

  for (const link of document.querySelectorAll("a.btn-slides"))
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const inView = (/** @type {Element} */ slide) => slide.getBoundingClientRect().bottom > innerHeight / 3;
      open(Math.max(0, slides.findIndex(inView)));
    });
  if (!new URLSearchParams(location.search).has("slides")) return;
  // not before: on its way to the address's fragment a browser takes the focus away
  addEventListener("load", () => open(first(names, location.hash)), { once: true });
}
