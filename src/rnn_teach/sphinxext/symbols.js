/**
 * Names the symbols in formulas: under the pointer, under a finger, or with the arrow keys once a formula has the focus.
 * MathJax draws every letter as an element that says which letter it is; nothing of a formula is changed.
 */

/** @typedef {[meaning: string, shape: string, code: string]} Entry */
/** @typedef {{[symbol: string]: Entry}} Table */
/** @typedef {{piece: Element, entry: Entry}} Found */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */

/** What the table says of a symbol; whatever moment it is taken at, a state is a state.
 * @param {Table} table @param {string} base @param {string} below @param {string} primes @returns {Entry | undefined} */
export function entry(table, base, below, primes) {
  const at = (/** @type {string} */ sub) => Object.hasOwn(table, base + sub + primes) ? table[base + sub + primes] : undefined;
  if (!below) return at("");
  return at(`_${below}`) ?? (/^[0-9tTkij]+([+−-][0-9tTkij]+)*$/.test(below) ? at("_t") : undefined);
}

/** The box nearest to a point, if it lies within reach; its place in the list, or -1.
 * @param {Box[]} boxes @param {number} x @param {number} y @param {number} reach @returns {number} */
export function nearest(boxes, x, y, reach) {
  const away = boxes.map((box) =>
    Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom)));
  const closest = Math.min(...away);
  return closest <= reach ? away.indexOf(closest) : -1;
}

/** The letters that a piece of a formula draws. @param {Element | undefined} piece @returns {string} */
function letters(piece) {
  const codes = Array.from(piece?.querySelectorAll("[data-c]") ?? [], (glyph) => parseInt(/** @type {any} */ (glyph).dataset.c, 16));
  return String.fromCodePoint(...codes).normalize("NFKC").replaceAll("′", "'");
}

/** The symbols that a piece of a formula holds, from left to right; a symbol is taken with its scripts.
 * @param {Element} piece @param {Table} table @returns {Found[]} */
function symbols(piece, table) {
  const kind = piece.getAttribute("data-mml-node");
  const parts = Array.from(piece.children).filter((part) => part.hasAttribute("data-mml-node"));
  const scripted = kind === "msub" || kind === "msup" || kind === "msubsup";
  if (scripted || kind === "mi") {
    // MathJax draws what stands above before what stands below
    const above = kind === "msub" ? "" : letters(parts[1]);
    const below = kind === "msup" ? "" : letters(parts[kind === "msub" ? 1 : 2]);
    const found = entry(table, letters(scripted ? parts[0] : piece), below, /^'*$/.test(above) ? above : "");
    if (found) return [{ piece, entry: found }];
  }
  // a letter below a symbol that is not known may mean anything
  return (scripted ? parts.slice(0, 1) : parts).flatMap((part) => symbols(part, table));
}

const FORMULA = "mjx-container";

/** Listen for readers who ask. @param {Table} table */
export function start(table) {
  const note = document.createElement("div");
  note.className = "symbol-note";
  note.setAttribute("role", "status");
  document.body.append(note);
  /** @type {Found | undefined} */
  let shown;
  let waiting = 0;

  const inside = (/** @type {Element | null} */ formula) => formula ? Array.from(formula.querySelectorAll('[data-mml-node="math"]')).flatMap((math) => symbols(math, table)) : [];
  const formula = (/** @type {Event} */ { target }) => /** @type {Element} */ (target).closest?.(FORMULA);

  /** @param {Found | undefined} found @param {string} [hint] */
  function show(found, hint = "") {
    clearTimeout(waiting);
    waiting = 0;
    if (found?.piece === shown?.piece) return;
    shown?.piece.removeAttribute("data-named");
    shown = found;
    note.toggleAttribute("data-shown", Boolean(found));
    if (!found) return note.replaceChildren();
    const [meaning, shape, code] = found.entry;
    found.piece.setAttribute("data-named", "");
    const lines = [line("b", "", meaning), line("code", "shape ", shape), line("code", "in code ", code), line("span", "", hint)];
    note.replaceChildren(...lines.filter((made) => made.lastChild?.textContent));
    place(found.piece.getBoundingClientRect());
  }

  /** @param {string} tag @param {string} words @param {string} value */
  function line(tag, words, value) {
    const made = document.createElement("p");
    made.append(words, Object.assign(document.createElement(tag), { textContent: value }));
    return made;
  }

  /** Above the symbol, or below it where there is no room. @param {Box} box */
  function place(box) {
    const { width, height } = note.getBoundingClientRect();
    const room = document.documentElement.clientWidth - width - 8;
    const left = Math.max(8, Math.min((box.left + box.right - width) / 2, room));
    const top = box.top - height - 8 > 64 ? box.top - height - 8 : box.bottom + 8;
    note.style.translate = `${left + scrollX}px ${top + scrollY}px`;
  }

  /** @param {MouseEvent} event @param {number} reach */
  function under(event, reach) {
    const found = inside(formula(event));
    return found[nearest(found.map(({ piece }) => piece.getBoundingClientRect()), event.clientX, event.clientY, reach)];
  }

  document.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || note.contains(/** @type {Node} */ (event.target))) return clearTimeout(waiting);
    const found = under(event, 3);
    clearTimeout(waiting);
    // a pointer on its way across a formula asks nothing, and one on its way to the note may leave the symbol
    if (found?.piece !== shown?.piece) waiting = setTimeout(show, found ? 150 : 300, found);
  });
  document.addEventListener("click", (event) => {
    if (!note.contains(/** @type {Node} */ (event.target))) show(under(event, 16));
  });

  /** @param {Element} host @param {number} step */
  function walk(host, step) {
    const found = inside(host);
    const at = found.findIndex(({ piece }) => piece === shown?.piece);
    const to = at < 0 ? 0 : (at + step + found.length) % found.length;
    if (found[to]) found[to].piece.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    show(found[to], found.length > 1 ? `← → ${to + 1} of ${found.length}` : "");
    return found.length > 0;
  }
  // a formula that nothing is known of is no stop on the way through the page; a few at a time, for a page has hundreds
  const unread = Array.from(document.querySelectorAll(FORMULA)).reverse();
  (function read() {
    for (const until = performance.now() + 10; unread.length > 0 && performance.now() < until; ) {
      const host = /** @type {Element} */ (unread.pop());
      if (inside(host).length === 0) continue;
      host.setAttribute("data-known", "");
      host.setAttribute("tabindex", "0");
    }
    if (unread.length > 0) setTimeout(read);
  })();
  document.addEventListener("focusin", (event) => {
    const host = formula(event);
    if (host?.matches(":focus-visible")) walk(host, 0);
  });
  document.addEventListener("focusout", () => show(undefined));
  // before what else listens to arrows on a page
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return show(undefined);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const host = step && formula(event);
    if (!host || event.altKey || event.ctrlKey || event.metaKey || !walk(host, step)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
