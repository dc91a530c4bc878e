/**
 * The front end of a live figure, the same in a notebook and on a static page:
 * it reads the controls, asks for the picture of their state and puts it in place.
 */
import { marks, patch } from "./picture.js";
import { toolbar } from "./tools.js";

/** What a figure needs of the page or notebook around it.
 * @typedef {object} Around
 * @property {(state: number[]) => void} moved called at most once a frame
 * @property {() => void} [settled] called once the picture has been painted
 * @property {() => Promise<import("./states.js").Table[]>} [numbers] those behind the present picture
 * @property {() => string} [link] the address of the present state */

/** Change an element's words; a node that is replaced would cost a browser several times as much.
 * @param {Element} element @param {string} text */
function write(element, text) {
  if (element.firstChild) element.firstChild.nodeValue = text;
  else element.textContent = text;
}

/** Bring a figure's markup to life.
 * @param {Element} figure @param {Around} around */
export function hydrate(figure, around) {
  const find = (/** @type {string} */ selector) => /** @type {any} */ (figure.querySelector(selector));
  const spec = /** @type {import("./states.js").Spec} */ (JSON.parse(find("script.live-spec").textContent));
  const inputs = spec.controls.map(({ name }) => find(`[data-control="${name}"]`));
  // by number: what lies above stands later in the picture, whatever its number
  const count = figure.querySelectorAll(`[id^="${spec.name}-slot-"]:not(path)`).length;
  const slots = Array.from({ length: count }, (_, k) => find(`[id="${spec.name}-slot-${k}"]`));
  const marked = marks(find(".live-picture"), spec, (k, index) => touch(k, index));
  const shown = /** @type {string[]} */ ([]); // what each slot holds
  let waiting = 0;
  let saying = 0;

  const read = (/** @type {any} */ input) => (input.type === "checkbox" ? +input.checked : +input.value);
  const state = () => inputs.map(read);

  /** @param {number} k @param {number} index */
  function put(k, index) {
    const input = inputs[k];
    const text = spec.controls[k].texts[index];
    if (input.type === "checkbox") input.checked = Boolean(index);
    else if (read(input) !== index) input.value = String(index);
    if (input.type === "range") {
      write(input.parentElement.querySelector("output"), text);
      input.setAttribute("aria-valuetext", text);
    }
    marked.check(k, index);
  }

  function ask() {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      around.moved(state());
    });
  }

  /** @param {number} k @param {number} index */
  function move(k, index) {
    put(k, index);
    ask();
  }

  /** The reader's own move. @param {number} k @param {number} index */
  function touch(k, index) {
    tools.stop();
    tools.choose(k);
    move(k, index);
  }

  /** @param {string} text */
  function fail(text) {
    figure.setAttribute("data-failed", "");
    find(".live-sentence").textContent = text;
    find(".live-said").textContent = text;
  }

  const tools = toolbar(figure, spec, around, { state, move });
  inputs.forEach((input, k) => {
    put(k, read(input)); // a browser may bring its own memory of a form
    input.addEventListener("input", () => touch(k, read(input)));
    input.addEventListener("focus", () => tools.choose(k));
    input.disabled = false;
  });
  new ResizeObserver(() => marked.place()).observe(find(".live-picture"));

  return {
    spec,
    state,
    stop: tools.stop,
    note: tools.note,
    fail,
    /** Move the controls themselves. @param {number[]} places */
    set(places) {
      places.forEach((index, k) => put(k, index));
    },
    /** Outline controls for a moment: what a link has changed. @param {number[]} ks */
    point(ks) {
      const rows = ks.map((k) => inputs[k].closest(".live-control"));
      for (const row of rows) row.classList.add("live-changed");
      setTimeout(() => rows.forEach((row) => row.classList.remove("live-changed")), 1200);
    },
    /** Put fragments into their slots. @param {import("./states.js").Picture} picture */
    show({ fragments, sentence }) {
      figure.removeAttribute("data-failed");
      const changed = /** @type {Element[]} */ ([]);
      try {
        for (const [k, fragment] of Object.entries(fragments)) {
          if (fragment === shown[+k]) continue;
          patch(slots[+k], fragment);
          shown[+k] = fragment;
          changed.push(slots[+k]);
        }
      } catch (error) {
        fail(`This state could not be drawn: ${/** @type {Error} */ (error).message}.`);
        return;
      }
      // after the frame: words may push other words, and the picture must not wait for them
      setTimeout(() => {
        const words = find(".live-sentence");
        write(words, sentence);
        words.offsetHeight; // laid out now, while the page rests, and not within the next frame
        marked.place(changed);
        around.settled?.();
      });
      // spoken once the reader rests: a sentence for every step of a drag would never end
      clearTimeout(saying);
      saying = setTimeout(() => {
        find(".live-said").textContent = sentence;
        tools.renew();
      }, 500);
    },
  };
}

/** In a notebook: the state goes to the kernel as the traits of the widget, the fragments come back.
 * @param {{model: any, el: HTMLElement}} widget */
function render({ model, el }) {
  /** @type {ReturnType<typeof hydrate>} */
  let view;
  const numbers = () =>
    new Promise((resolve) => {
      const answer = (/** @type {any} */ message) => {
        if (!message.numbers) return;
        model.off("msg:custom", answer);
        resolve(message.numbers);
      };
      model.on("msg:custom", answer);
      model.send({ ask: "numbers" });
    });
  const moved = (/** @type {number[]} */ state) => {
    view.spec.controls.forEach(({ name, values }, k) => model.set(name, values[state[k]]));
    model.save_changes();
  };
  const mount = () => {
    view?.stop();
    el.innerHTML = model.get("_html");
    view = hydrate(el.firstElementChild, { moved, numbers });
    // JupyterLab would take the arrow keys away from what has the focus
    for (const part of el.querySelectorAll("input, select, button")) part.setAttribute("data-lm-suppress-shortcuts", "");
    follow();
    show();
  };
  // a value between two of the list, from a slider linked to this one: the kernel answers with the nearer
  const follow = () =>
    view.set(view.state().map((index, k) => {
      const { name, values } = view.spec.controls[k];
      const found = values.indexOf(model.get(name));
      return found < 0 ? index : found;
    }));
  const show = () => {
    const picture = model.get("_picture");
    if (picture.error) view.fail(picture.error);
    else view.show(picture);
  };
  mount();
  model.on("change:_html", mount);
  model.on("change:_picture", show);
  for (const { name } of view.spec.controls) model.on(`change:${name}`, () => follow());
}

export default { render };
