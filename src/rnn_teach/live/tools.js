/** The buttons under a figure: play, copy the link, save the picture, show the numbers. */
import { drawn, png } from "./picture.js";
import { csv, pace } from "./states.js";

/** The row of buttons under a figure's controls.
 * @param {Element} figure @param {import("./states.js").Spec} spec @param {import("./live.js").Around} around
 * @param {{state: () => number[], move: (k: number, index: number) => void}} controls */
export function toolbar(figure, spec, around, { state, move }) {
  const find = (/** @type {string} */ selector) => /** @type {any} */ (figure.querySelector(selector));
  const [play, panel] = [find(".live-play"), find(".live-panel")];
  const ordered = spec.controls.flatMap(({ kind }, k) => (kind === "slider" ? [k] : []));
  let current = ordered[0]; // the slider that play moves: the last one touched
  let playing = 0;

  const count = () => spec.controls[current].texts.length;
  const name = () => {
    const { label } = spec.controls[current];
    const words = {
      ".live-back": `${label}: previous`,
      ".live-play": `${playing ? "Pause" : "Play"} ${label}`,
      ".live-next": `${label}: next`,
    };
    for (const [selector, text] of Object.entries(words)) {
      find(selector).setAttribute("aria-label", text);
      find(selector).title = text;
    }
    find(".live-playing").textContent = ordered.length > 1 ? label : "";
  };
  const step = (/** @type {number} */ by) => {
    const index = Math.max(0, Math.min(count() - 1, state()[current] + by));
    if (index !== state()[current]) move(current, index);
  };
  const stop = () => {
    if (!playing) return;
    cancelAnimationFrame(playing);
    playing = 0;
    play.classList.remove("live-pause");
    name();
  };
  const start = () => {
    const last = count() - 1;
    const from = state()[current] === last ? 0 : state()[current];
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      move(current, state()[current] === last ? 0 : from + 1);
      return;
    }
    let begun = 0;
    const frame = (/** @type {number} */ now) => {
      begun ||= now;
      const index = Math.min(last, from + Math.floor((now - begun) / pace(count())));
      if (index !== state()[current]) move(current, index);
      playing = requestAnimationFrame(frame);
      if (index === last) stop();
    };
    playing = requestAnimationFrame(frame);
    play.classList.add("live-pause");
    name();
  };
  const note = (/** @type {string} */ text) => (find(".live-note").textContent = text);
  const save = (/** @type {Blob} */ blob, /** @type {string} */ kind) => {
    const link = document.createElement("a");
    Object.assign(link, { href: URL.createObjectURL(blob), download: `${spec.name}.${kind}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  /** @type {{button?: HTMLElement}} what stands in the panel */
  const open = {};
  /** Open a button's panel, or close it. @param {HTMLElement} button @param {(Node | string)[]} content */
  const toggle = (button, content) => {
    const closing = open.button === button;
    open.button?.setAttribute("aria-expanded", "false");
    open.button = closing ? undefined : button;
    button.setAttribute("aria-expanded", String(!closing));
    panel.hidden = closing;
    panel.replaceChildren(...(closing ? [] : content));
  };
  const action = (/** @type {string} */ text, /** @type {() => any} */ act) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "live-action", textContent: text });
    button.addEventListener("click", act);
    return button;
  };
  const pictures = () => {
    const svg = () => drawn(find(".live-picture svg"));
    return [
      "Save the picture as ",
      action("SVG", () => save(new Blob([svg()], { type: "image/svg+xml" }), "svg")),
      action("PNG", async () => {
        try {
          save(await png(svg()), "png");
        } catch {
          note("This page's rules do not allow PNG. Save the picture as SVG.");
        }
      }),
    ];
  };
  const numbers = async () => {
    const tables = await around.numbers();
    const file = () => new Blob([csv(tables)], { type: "text/csv" });
    return [action("Save as CSV", () => save(file(), "csv")), ...tables.map(element)];
  };
  const acts = /** @type {{[selector: string]: (button: HTMLElement) => any}} */ ({
    ".live-back": () => step(-1),
    ".live-play": () => (playing ? stop() : start()),
    ".live-next": () => step(1),
    ".live-copy": async () => {
      try {
        await navigator.clipboard.writeText(around.link());
        note("Link copied.");
      } catch {
        note(around.link()); // to be copied by hand
      }
    },
    ".live-save": (button) => toggle(button, pictures()),
    ".live-show": async (button) => {
      try {
        toggle(button, open.button === button ? [] : await numbers());
      } catch {
        note("The numbers of this figure could not be read.");
      }
    },
  });
  for (const [selector, act] of Object.entries(acts)) {
    const button = find(selector);
    if (!button) continue;
    button.addEventListener("click", () => {
      if (act !== acts[".live-play"]) stop();
      note("");
      act(button);
    });
    button.disabled = false;
  }
  find(".live-copy").hidden = !around.link;
  // a kernel is asked for the numbers; a page has them or not
  find(".live-show").hidden = Boolean(spec.packed || spec.src) && !(spec.tables || spec.numbers);
  play?.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "k") play.click();
  });

  return {
    stop,
    note,
    /** @param {number} k the control that was touched */
    choose(k) {
      if (k === current || !ordered.includes(k) || playing) return;
      current = k;
      name();
    },
    /** The open panel follows the state. */
    async renew() {
      if (open.button?.matches(".live-show")) panel.replaceChildren(...(await numbers()));
    },
  };
}

/** @param {import("./states.js").Table} table @returns {HTMLElement} */
function element({ caption, columns, rows }) {
  const make = (/** @type {string} */ tag, /** @type {(Node | string)[]} */ content, scope = "") => {
    const made = document.createElement(tag);
    made.append(...content);
    if (scope) made.setAttribute("scope", scope);
    return made;
  };
  const cell = (/** @type {any} */ value, /** @type {number} */ k) =>
    make(k ? "td" : "th", [String(value ?? "")], k ? "" : "row");
  return make("table", [
    make("caption", [caption ?? "The numbers behind the picture"]),
    make("thead", [make("tr", columns.map((column) => make("th", [column], "col")))]),
    make("tbody", rows.map((row) => make("tr", row.map(cell)))),
  ]);
}
