/** The picture itself: fragments into its slots, marked artists under the reader's hand, and a file of it. */

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = /^(g|path|use|text|tspan|defs|image|rect|circle|polygon|clipPath|pattern|linearGradient|stop)$/;
const ENTITIES = /** @type {{[name: string]: string}} */ ({ amp: "&", lt: "<", gt: ">", quot: '"' });
const plain = (/** @type {string} */ text) => text.replace(/&(amp|lt|gt|quot);/g, (_, name) => ENTITIES[name]);
const written = new WeakMap(); // the tag that each element was made or changed by

/** Make the content of a slot what a fragment says; only what differs is touched, for elements that
 * stay cost the browser least. Elements that draw are all it makes, so a payload can never run.
 * @param {Element} slot @param {string} fragment */
export function patch(slot, fragment) {
  let parent = /** @type {Node} */ (slot);
  let next = slot.firstChild;
  const end = () => {
    while (next) {
      const after = next.nextSibling;
      next.remove();
      next = after;
    }
  };
  for (const [token, slash, name] of fragment.matchAll(/<(\/?)([\w:]+)[^>]*>|[^<]+/g)) {
    if (slash) {
      end();
      next = parent.nextSibling;
      parent = parent.parentNode;
    } else if (!name) {
      if (next?.nodeType !== 3) next = parent.insertBefore(document.createTextNode(""), next);
      if (next.data !== plain(token)) next.data = plain(token);
      next = next.nextSibling;
    } else {
      if (!DRAWN.test(name)) throw new Error(`<${name}> in a picture`);
      if (next?.nodeName !== name) next = parent.insertBefore(document.createElementNS(SVG, name), next);
      if (written.get(next) !== token) attributes(next, token);
      if (token.endsWith("/>")) {
        if (next.firstChild) next.replaceChildren();
        next = next.nextSibling;
      } else {
        parent = next;
        next = parent.firstChild;
      }
    }
  }
  end();
}

/** @param {Element} element @param {string} tag */
function attributes(element, tag) {
  const names = new Set();
  for (const [, name, quoted] of tag.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    const value = plain(quoted);
    if (/^on|^style$/i.test(name) || (/href$/.test(name) && !/^(#|data:image\/(png|jpeg);)/.test(value))) {
      throw new Error(`${name} in a picture`);
    }
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
    names.add(name);
  }
  for (const name of element.getAttributeNames()) if (!names.has(name)) element.removeAttribute(name);
  written.set(element, tag);
}

/** Make marked artists controls: native radio buttons lie over them, so the keyboard has one stop for each
 * control and arrows within; hovering or tapping picks the nearest.
 * @param {HTMLElement} picture @param {import("./states.js").Spec} spec
 * @param {(k: number, index: number) => void} pick
 * @returns {{place: (changed?: Element[]) => void, check: (k: number, index: number) => void}} */
export function marks(picture, spec, pick) {
  const svg = picture.querySelector("svg");
  const { width, height } = svg.viewBox.baseVal;
  /** @type {{k: number, index: number, radio: HTMLInputElement, box: DOMRect, artist?: SVGGraphicsElement}[]} */
  const all = [];
  spec.controls.forEach(({ name, label, texts }, k) => {
    if (!picture.querySelector(`[id="${spec.name}-at-${name}-0"]`)) return;
    const group = picture.appendChild(document.createElement("div"));
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", label);
    texts.forEach((text, index) => {
      const radio = group.appendChild(document.createElement("input"));
      Object.assign(radio, { type: "radio", name: `${spec.name}-at-${name}`, className: "live-mark" });
      radio.hidden = true; // until it is placed it would lie over the figure's other buttons
      radio.setAttribute("aria-label", text);
      radio.addEventListener("change", () => pick(k, index));
      all.push({ k, index, radio, box: new DOMRect() });
    });
  });
  /** How far a place is outside a stretch. @param {number} from @param {number} size @param {number} at */
  const outside = (from, size, at) => Math.max(from - at, 0, at - from - size);
  const nearest = (/** @type {PointerEvent} */ event) => {
    const { left, top, width: across } = svg.getBoundingClientRect();
    const scale = width / across;
    const [x, y] = [(event.clientX - left) * scale, (event.clientY - top) * scale];
    let [best, least] = [/** @type {(typeof all)[0] | undefined} */ (undefined), 12 * scale];
    for (const mark of all) {
      const { box } = mark;
      const center = Math.hypot(box.x + box.width / 2 - x, box.y + box.height / 2 - y);
      // the middle decides between boxes that overlap
      const away = Math.hypot(outside(box.x, box.width, x), outside(box.y, box.height, y)) + center / 1000;
      if (box.width && away < least) [best, least] = [mark, away];
    }
    return best;
  };
  const point = (/** @type {PointerEvent} */ event) => {
    const mark = nearest(event);
    picture.classList.toggle("live-over", Boolean(mark));
    if (mark && !mark.radio.checked) pick(mark.k, mark.index);
  };
  if (all.length) {
    picture.addEventListener("pointermove", point);
    picture.addEventListener("pointerdown", point);
  }
  return {
    /** Put the buttons where their artists are now. @param {Element[]} changed only those within */
    place(changed = [picture]) {
      const moved = all.filter((mark) => {
        const id = `${spec.name}-at-${spec.controls[mark.k].name}-${mark.index}`;
        if (!mark.artist?.isConnected) mark.artist = picture.querySelector(`[id="${id}"]`);
        return !mark.artist || changed.some((part) => part.contains(mark.artist));
      });
      for (const mark of moved) mark.box = mark.artist?.getBBox() ?? new DOMRect();
      // a write between two reads would have the whole page laid out anew for each button
      for (const mark of moved) {
        const { x, y, width: w, height: h } = mark.box;
        const share = { left: x / width, top: y / height, width: w / width, height: h / height };
        for (const [side, part] of Object.entries(share)) mark.radio.style.setProperty(side, `${100 * part}%`);
        mark.radio.hidden = !w;
      }
    },
    check(k, index) {
      for (const mark of all) if (mark.k === k) mark.radio.checked = mark.index === index;
    },
  };
}

/** The picture as it looks now, as a file of its own: the theme's colors are written out.
 * @param {Element} svg @returns {string} */
export function drawn(svg) {
  const style = getComputedStyle(svg);
  const copy = /** @type {Element} */ (svg.cloneNode(true));
  const paper = document.createElementNS(SVG, "rect");
  const whole = { width: "100%", height: "100%", fill: "var(--live-paper,#ffffff)" };
  for (const [name, value] of Object.entries(whole)) paper.setAttribute(name, value);
  copy.prepend(paper);
  copy.setAttribute("font-family", style.fontFamily);
  const text = new XMLSerializer().serializeToString(copy);
  return text.replace(/var\((--[\w-]+),(#\w+)\)/g, (_, name, color) => style.getPropertyValue(name).trim() || color);
}

/** An SVG as PNG, three pixels for each of its own. Rejects where a page's rules forbid it.
 * @param {string} text @returns {Promise<Blob>} */
export async function png(text) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [3 * image.width, 3 * image.height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((resolve) => canvas.toBlob(resolve));
}
