/** Live figures on a static page: their payloads, its address, links in the prose, figures that move together. */
import { hydrate } from "./live.js";
import { address, asked, pictures, place, resolve, unpack } from "./states.js";

/** The text of a payload beside the page; a script element, because pages opened from a disk may not fetch.
 * @param {string} event @param {string} src @returns {Promise<string>} */
function load(event, src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    document.addEventListener(event, (told) => resolve(/** @type {any} */ (told).detail), { once: true });
    script.onerror = () => reject(new Error(`cannot read ${src}`));
    script.src = src;
    document.head.append(script);
  });
}

/** A figure with its states, read when it comes near or is moved.
 * @param {Element} figure @param {(live: Live) => void} changed @param {(live: Live) => void} settled
 * @typedef {ReturnType<typeof revive>} Live */
function revive(figure, changed, settled) {
  /** @type {((number: number) => import("./states.js").Picture) | undefined} */
  let all;
  let reading = false;
  /** @type {Promise<{tables: import("./states.js").Table[], at: number[][]}> | undefined} */
  let tables;
  const { spec, ...view } = hydrate(figure, {
    moved() {
      draw();
      changed(live);
    },
    settled: () => settled(live),
    link: () => location.href.replace(/#.*|$/, "") + address(spec, view.state()),
    async numbers() {
      tables ??= (async () => unpack(spec.tables || (await load(`live-numbers:${spec.name}`, spec.numbers))))();
      const { tables: every, at } = await tables;
      return at[number()].map((k) => every[k]);
    },
  });
  const sizes = spec.controls.map(({ texts }) => texts.length);
  const number = () => place(view.state(), sizes);
  const opened = number();
  let near = false; // out of sight it is not drawn: a figure that moves with another would take that one's time
  let owed = false;

  function draw() {
    if (!all) return read();
    const picture = all(number());
    view.show(near ? picture : { fragments: [], sentence: picture.sentence });
    owed = !near;
  }
  async function read() {
    if (reading) return;
    reading = true;
    try {
      all = await pictures(await unpack(spec.packed || (await load(`live:${spec.name}`, spec.src))));
      figure.setAttribute("data-ready", "");
      if (number() !== opened) draw();
    } catch {
      view.fail("The states of this figure could not be read. The picture shows its first state.");
    }
  }
  new IntersectionObserver((entries) => {
    near = entries[entries.length - 1].isIntersecting;
    if (near && owed) draw();
    else if (near) read();
  }, { rootMargin: "800px" }).observe(figure);
  addEventListener("beforeprint", () => {
    near = true;
    if (owed) draw();
  });

  const live = {
    ...view,
    spec,
    figure,
    /** @param {number[]} state @returns {number[]} the controls that moved */
    go(state) {
      const before = view.state();
      view.stop();
      view.set(state);
      draw();
      return state.flatMap((index, k) => (index === before[k] ? [] : [k]));
    },
  };
  return live;
}

/** Bring every figure of a static page to life. */
export function start() {
  const pieces = [...document.querySelectorAll("figure.live")];
  const figures = new Map(pieces.map((piece) => [piece.id, revive(piece, changed, light)]));
  const which = (/** @type {Live} */ { spec }, /** @type {string} */ name) =>
    spec.controls.findIndex((control) => control.name === name);
  /** The links of the prose, each with its figure and where it puts which control. */
  const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("a.live-set")]).map((link) => {
    const live = figures.get(link.dataset.live);
    const settings = /** @type {[string, number][]} */ (Object.entries(JSON.parse(link.dataset.set)));
    return { link, live, wanted: live ? settings.map(([name, index]) => [which(live, name), index]) : [] };
  });
  let telling = 0;

  /** What follows a figure's move: its group, the links that lead to it, the address. @param {Live} live */
  function changed(live) {
    const group = live.figure.getAttribute("data-group");
    for (const other of figures.values()) {
      if (!group || other === live || other.figure.getAttribute("data-group") !== group) continue;
      const state = other.state().map((index, k) => {
        const { name, values } = other.spec.controls[k];
        const mine = which(live, name);
        const same = mine < 0 ? -1 : values.indexOf(live.spec.controls[mine].values[live.state()[mine]]);
        return same < 0 ? index : same;
      });
      if (String(state) !== String(other.state())) other.go(state);
    }
    tell(live);
  }

  /** A link to the state that its figure is in says so. @param {Live} figure */
  function light(figure) {
    const state = figure.state();
    for (const { link, live, wanted } of links) {
      if (live !== figure) continue;
      if (wanted.every(([k, index]) => state[k] === index)) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  /** The address follows, but not every step of a drag: a browser allows a hundred changes in half a minute.
   * @param {Live} live */
  function tell(live) {
    clearTimeout(telling);
    const write = () => history.replaceState(history.state, "", address(live.spec, live.state()));
    telling = setTimeout(write, 400);
  }

  /** From a link no further than needed, so that the reader keeps the sentence in view. @param {Element} figure */
  function reveal(figure) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const block = figure.clientHeight > innerHeight ? "start" : "nearest";
    figure.scrollIntoView({ block, behavior: calm ? "auto" : "smooth" });
  }

  /** Go where the address says. */
  function arrive() {
    const { name, settings } = asked(location.hash);
    const live = figures.get(name);
    if (!live) return;
    const { state, notes } = resolve(live.spec, settings, live.state());
    live.note(notes.join(" "));
    live.go(state);
    changed(live);
    clearTimeout(telling); // the address stays as it was asked for, with its note
    /** @type {HTMLElement} */ (live.figure).tabIndex = -1; // the next Tab leads to its first control
    /** @type {HTMLElement} */ (live.figure).focus({ preventScroll: true });
    live.figure.scrollIntoView();
  }

  document.addEventListener("click", (event) => {
    const clicked = /** @type {any} */ (event.target).closest?.("a.live-set");
    const { live, wanted } = links.find(({ link }) => link === clicked) ?? {};
    if (!live || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const state = live.state();
    for (const [k, index] of wanted) state[k] = index;
    live.note("");
    live.point(live.go(state));
    changed(live);
    reveal(live.figure);
  });
  addEventListener("hashchange", arrive);
  for (const live of figures.values()) light(live);
  arrive();
  // formulas that are set late push the figure away; a reader who has moved on is left alone
  addEventListener("load", () => {
    const { figure } = figures.get(asked(location.hash).name) ?? {};
    if (figure === document.activeElement) figure?.scrollIntoView();
  }, { once: true });
}
