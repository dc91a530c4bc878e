/**
 * The front end of a live figure, the same in a notebook and on a static page:
 * it reads the controls, asks for the fragments of their state and puts them into the picture's slots.
 */

/** @typedef {{name: string, values: (boolean|number|string)[], texts: string[]}} Control */
/** @typedef {{name: string, controls: Control[], packed: string, src?: string}} Spec */
/** @typedef {{fragments: string[], sentence: string}} Picture */
/** @typedef {{templates: string[], kinds: number[], columns: number[][], at: number[]}} Slot */
/** @typedef {{slots: Slot[], words: string[], says: number[]}} States */

const HOLE = "\0";

/** The place of a state in the list of all states, the last control fastest.
 * @param {number[]} state @param {number[]} sizes @returns {number} */
export function place(state, sizes) {
  return state.reduce((sum, index, k) => sum * sizes[k] + index, 0);
}

/** Column after column of differences back to rows of numbers, in tenths.
 * @param {number[]} differences @param {number} count how many rows @returns {number[][]} */
export function rows(differences, count) {
  const out = Array.from({ length: count }, () => /** @type {number[]} */ ([]));
  let total = 0;
  differences.forEach((difference, i) => {
    total = i % count ? total + difference : difference;
    out[i % count].push(total);
  });
  return out;
}

/** A template with its holes filled.
 * @param {string} template @param {number[]} numbers in tenths @returns {string} */
export function fill(template, numbers) {
  return template.split(HOLE).reduce((text, part, i) => text + numbers[i - 1] / 10 + part);
}

/** The pictures of all states, each put together when it is first asked for.
 * @param {States} data @returns {(number: number) => Picture} */
export function pictures(data) {
  const slots = data.slots.map(({ templates, kinds, columns, at }) => {
    const counts = templates.map((_, kind) => kinds.filter((k) => k === kind).length);
    const numbers = columns.map((column, kind) => rows(column, counts[kind]));
    const used = templates.map(() => 0);
    const parts = kinds.map((kind) => ({ kind, row: used[kind]++ }));
    const made = /** @type {string[]} */ ([]);
    return (/** @type {number} */ number) => {
      const i = at[number];
      made[i] ??= fill(templates[parts[i].kind], numbers[parts[i].kind][parts[i].row]);
      return made[i];
    };
  });
  return (number) => ({
    fragments: slots.map((slot) => slot(number)),
    sentence: data.words[data.says[number]],
  });
}

/** The text that a page carries, back to data: it is parsed, never run.
 * @param {string} text base64 of gzip of JSON @returns {Promise<States>} */
export async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** Bring a figure's markup to life.
 * @param {Element} figure @param {(state: number[]) => void} moved called at most once a frame */
export function hydrate(figure, moved) {
  const find = (/** @type {string} */ selector) => figure.querySelector(selector);
  const spec = /** @type {Spec} */ (JSON.parse(find("script.live-spec").textContent));
  const inputs = spec.controls.map(({ name }) => find(`[data-control="${name}"]`));
  // by number: what lies above stands later in the picture, whatever its number
  const slots = Array.from(figure.querySelectorAll(`[id^="${spec.name}-slot-"]`), (_, k) => find(`[id="${spec.name}-slot-${k}"]`));
  const shown = /** @type {string[]} */ ([]);
  let waiting = 0;
  let saying = 0;

  const read = (/** @type {any} */ input) => (input.type === "checkbox" ? +input.checked : +input.value);
  const state = () => inputs.map(read);

  /** @param {number} k @param {number} index */
  function label(k, index) {
    const text = spec.controls[k].texts[index];
    const output = inputs[k].parentElement.querySelector("output");
    if (output) output.textContent = text;
    if (inputs[k].type === "range") inputs[k].setAttribute("aria-valuetext", text);
  }

  inputs.forEach((input, k) => {
    input.addEventListener("input", () => {
      label(k, read(input));
      waiting ||= requestAnimationFrame(() => {
        waiting = 0;
        moved(state());
      });
    });
    input.disabled = false;
  });

  return {
    spec,
    state,
    /** Move the controls themselves. @param {number[]} places */
    set(places) {
      places.forEach((index, k) => {
        if (inputs[k].type === "checkbox") inputs[k].checked = Boolean(index);
        else inputs[k].value = String(index);
        label(k, index);
      });
    },
    /** Put fragments into their slots, only those that differ. @param {Picture} picture */
    show({ fragments, sentence }) {
      fragments.forEach((fragment, k) => {
        if (shown[k] !== fragment) slots[k].innerHTML = shown[k] = fragment;
      });
      find(".live-sentence").textContent = sentence;
      // spoken once the reader rests: a sentence for every step of a drag would never end
      clearTimeout(saying);
      saying = setTimeout(() => (find(".live-said").textContent = sentence), 400);
    },
    /** Say what went wrong under the picture, which stays as it is. @param {string} text */
    fail(text) {
      figure.setAttribute("data-failed", "");
      find(".live-sentence").textContent = text;
      find(".live-said").textContent = text;
    },
  };
}

/** The text of a payload beside the page; a script element, because pages opened from a disk may not fetch.
 * @param {string} name @param {string} src @returns {Promise<string>} */
function load(name, src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    document.addEventListener(`live:${name}`, (event) => resolve(/** @type {any} */ (event).detail), { once: true });
    script.onerror = () => reject(new Error(`cannot read ${src}`));
    script.src = src;
    document.head.append(script);
  });
}

/** Bring every figure of a static page to life; its states are read when it comes near. */
export function start() {
  for (const figure of document.querySelectorAll("figure.live")) {
    /** @type {((number: number) => Picture) | undefined} */
    let all;
    let reading = false;
    const moved = (/** @type {number[]} */ state) => {
      if (all) view.show(all(place(state, sizes)));
      else read();
    };
    const view = hydrate(figure, moved);
    const sizes = view.spec.controls.map(({ texts }) => texts.length);
    const opened = String(view.state());
    const read = async () => {
      if (reading) return;
      reading = true;
      try {
        const { name, packed, src } = view.spec;
        all = pictures(await unpack(packed || (await load(name, src))));
        figure.setAttribute("data-ready", "");
        if (String(view.state()) !== opened) moved(view.state());
      } catch (error) {
        view.fail("The states of this figure could not be read. The picture shows its first state.");
      }
    };
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      read();
    }, { rootMargin: "800px" }).observe(figure);
  }
}

/** In a notebook: the state goes to the kernel as the traits of the widget, the fragments come back.
 * @param {{model: any, el: HTMLElement}} widget */
function render({ model, el }) {
  /** @type {ReturnType<typeof hydrate>} */
  let view;
  const mount = () => {
    el.innerHTML = model.get("_html");
    view = hydrate(el.firstElementChild, (state) => {
      view.spec.controls.forEach(({ name, values }, k) => model.set(name, values[state[k]]));
      model.save_changes();
    });
    follow();
    show();
  };
  const follow = () => view.set(view.spec.controls.map(({ name, values }) => values.indexOf(model.get(name))));
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
