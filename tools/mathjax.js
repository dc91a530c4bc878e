/**
 * Sets formulas in a bare JavaScript engine, once MathJax's own files are loaded there: TeX in, a piece of a page out.
 * Nothing is left that a strict policy refuses: where MathJax writes a style, an attribute or a class says the same.
 */

/* global MathJax */

const { liteAdaptor } = MathJax._.adaptors.liteAdaptor;
const adaptor = liteAdaptor();
const handler = MathJax._.handlers.html_ts.RegisterHTMLHandler(adaptor);
MathJax._.a11y["assistive-mml"].AssistiveMmlHandler(handler);

const EX = 442; // units of a glyph's drawing in an ex, for MathJax's letters are this high
const NEEDLESS = ["data-mjx-texclass", "focusable", "id", "role", "style", "unselectable", "xmlns", "xmlns:xlink"];
const IN_THE_STYLE_SHEET = { fill: "currentColor", stroke: "currentColor", "stroke-width": "0" };
const AROUND = { em: 16, ex: 8, containerWidth: 1280 }; // lengths leave here in ex, so that the reader's font decides

/** @type {{[cache: string]: any}} */
const documents = {};

/** How wide letters are that MathJax has no outlines of, such as é: as the letter without its accent.
 * @param {string} text @returns {number} in em */
function wide(text) {
  const { font } = documents.global.outputJax;
  const known = (/** @type {string} */ letter) => font.getChar("normal", letter.normalize("NFD").codePointAt(0))?.[2];
  return Array.from(text).reduce((sum, letter) => sum + (known(letter) ?? 0.6), 0);
}
adaptor.nodeSize = (/** @type {any} */ node) => [wide(adaptor.textContent(node)), 0];

/** Make ready. @param {object} macros as in MathJax's settings */
function start(macros) {
  for (const fontCache of ["global", "none"]) {
    const InputJax = new MathJax._.input.tex_ts.TeX({
      packages: ["base", "ams", "configmacros", "newcommand", "textmacros"],
      macros,
      formatError(/** @type {any} */ _, /** @type {Error} */ error) { throw error; },
    });
    const font = new MathJax._.output.svg.fonts.tex_ts.TeXFont();
    const OutputJax = new MathJax._.output.svg_ts.SVG({ fontCache, font });
    documents[fontCache] = MathJax._.mathjax.mathjax.document("", { InputJax, OutputJax });
  }
}

/** A formula as HTML, or what is wrong with it.
 * @param {string} tex @param {string} source what a reader gets who copies it @param {boolean} display
 * @param {boolean} alone whether it brings its letters along, as it must outside of a page's text
 * @param {number} steps in an ex, for how far the formula reaches below its line
 * @returns {{html?: string, error?: string}} */
function set(tex, source, display, alone, steps) {
  const page = documents[alone ? "none" : "global"];
  page.inputJax[0].reset(); // labels: each formula is a world of its own
  try {
    if (/\\tag\b/.test(tex)) throw Error("a formula may have one \\tag{…}, and not in the text");
    const container = page.convert(tex, { display, ...AROUND });
    if (adaptor.outerHTML(container).includes("MathJax_ref")) throw Error("\\ref finds no label; number and refer with {math} and {eq}");
    if (!display) stand(adaptor.firstChild(container), steps);
    trim(container);
    adaptor.setAttribute(container, "data-tex", source);
    return { html: adaptor.outerHTML(container) };
  } catch (error) {
    return { error: /** @type {Error} */ (error).message };
  }
}

/** Extend a drawing downward to a whole number of steps below its line, so that a class can say how deep it stands.
 * @param {any} svg @param {number} steps */
function stand(svg, steps) {
  const [left, top, width, height] = adaptor.getAttribute(svg, "viewBox").split(" ").map(Number);
  const depth = Math.max(0, Math.ceil(((top + height) * steps) / EX - 0.01));
  const whole = (depth * EX) / steps - top;
  adaptor.setAttribute(svg, "viewBox", [left, top, width, round(whole)].join(" "));
  adaptor.setAttribute(svg, "height", `${round(whole / EX)}ex`);
  adaptor.setAttribute(svg, "class", `mjx-d${depth}`);
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 1000) / 1000;
}

/** Take away what a page says once for all of them. @param {any} node */
function trim(node) {
  for (const name of NEEDLESS) adaptor.removeAttribute(node, name);
  for (const [name, value] of Object.entries(IN_THE_STYLE_SHEET))
    if (adaptor.getAttribute(node, name) === value) adaptor.removeAttribute(node, name);
  const link = adaptor.getAttribute(node, "xlink:href");
  if (link) {
    adaptor.removeAttribute(node, "xlink:href");
    adaptor.setAttribute(node, "href", link);
  }
  // drawn in the reader's font, a letter still takes the room that was left for it
  if (adaptor.kind(node) === "text") {
    adaptor.setAttribute(node, "textLength", round(wide(adaptor.textContent(node)) * 1000));
    adaptor.setAttribute(node, "lengthAdjust", "spacingAndGlyphs");
  }
  for (const child of adaptor.childNodes(node)) if (adaptor.kind(child) !== "#text") trim(child);
}

/** The outlines of letters that formulas share, by name. @returns {{[id: string]: string}} */
function outlines() {
  const paths = adaptor.tags(documents.global.outputJax.fontCache.getCache(), "path");
  return Object.fromEntries(paths.map((/** @type {any} */ path) => [adaptor.getAttribute(path, "id"), adaptor.outerHTML(path)]));
}
