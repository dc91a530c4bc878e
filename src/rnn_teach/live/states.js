/**
 * The pure parts of a live figure's front end: payloads to pictures, addresses to states and back.
 * They touch no page, so that they are tested without a browser.
 */

/** @typedef {boolean | number | string} Value */
/** @typedef {{name: string, label: string, kind: string, values: Value[], texts: string[]}} Control */
/** @typedef {{packed?: string, src?: string, tables?: string, numbers?: string}} Payloads text, or where it is */
/** @typedef {{name: string, controls: Control[]} & Payloads} Spec */
/** @typedef {{fragments: string[] | {[slot: string]: string}, sentence: string}} Picture */
/** @typedef {{templates: string[], kinds: number[], columns: number[][], at: number[]}} Slot */
/** @typedef {{slots: Slot[], words: string[], says: number[]}} States */
/** @typedef {{caption?: string, columns: string[], rows: (number|string|null)[][]}} Table */

const HOLE = "\0";

/** Between two pieces of work the page may answer its reader. @returns {Promise<void>} */
const rest = () => new Promise((done) => setTimeout(done));

/** The place of a state in the list of all states, the last control fastest.
 * @param {number[]} state @param {number[]} sizes @returns {number} */
export function place(state, sizes) {
  return state.reduce((sum, index, k) => sum * sizes[k] + index, 0);
}

/** Columns of differences to columns of numbers, one after the other, in place.
 * @param {number[]} columns @param {number} count how many rows @returns {number[]} */
export function sums(columns, count) {
  for (let i = 1; i < columns.length; i++) if (i % count) columns[i] += columns[i - 1];
  return columns;
}

/** A template with its holes filled by a row of numbers.
 * @param {string[]} parts what stands between the holes @param {number[]} columns in tenths
 * @param {number} row @param {number} count how many rows @returns {string} */
export function fill(parts, columns, row, count) {
  return parts.reduce((text, part, i) => text + columns[(i - 1) * count + row] / 10 + part);
}

/** The pictures of all states, each put together when it is asked for.
 * @param {States} data @returns {Promise<(number: number) => Picture>} */
export async function pictures(data) {
  const slots = /** @type {((number: number) => string)[]} */ ([]);
  for (const { templates, kinds, columns, at } of data.slots) {
    await rest();
    const parts = templates.map((template) => template.split(HOLE));
    const counts = templates.map(() => 0);
    const rows = kinds.map((kind) => counts[kind]++);
    columns.forEach((column, kind) => sums(column, counts[kind]));
    const made = /** @type {string[]} */ ([]); // a slider is moved to and fro
    slots.push((number) => {
      const which = at[number];
      const kind = kinds[which];
      return (made[which] ??= fill(parts[kind], columns[kind], rows[which], counts[kind]));
    });
  }
  return (number) => ({
    get fragments() {
      return slots.map((slot) => slot(number)); // a figure out of sight needs its words alone
    },
    sentence: data.words[data.says[number]],
  });
}

/** The text that a page carries, back to data: it is parsed, never run.
 * @param {string} text base64 of gzip of JSON @returns {Promise<any>} */
export async function unpack(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** The address of a figure's state within its page.
 * @param {Spec} spec @param {number[]} state @returns {string} */
export function address({ name, controls }, state) {
  const settings = controls.map((control, k) => [control.name, control.values[state[k]]]);
  return `#${name}?${settings.map((setting) => setting.map(encodeURIComponent).join("=")).join("&")}`;
}

/** What an address asks for: a figure and, perhaps, values of its controls.
 * @param {string} hash @returns {{name: string, settings: [string, string][]}} */
export function asked(hash) {
  const [name, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  return { name, settings: [...new URLSearchParams(query.replaceAll("+", "%2B"))] };
}

/** The state an address asks for, from the state shown, and what is to be said of what it cannot have.
 * @param {Spec} spec @param {[string, string][]} settings @param {number[]} state
 * @returns {{state: number[], notes: string[]}} */
export function resolve({ controls }, settings, state) {
  const out = [...state];
  const notes = /** @type {string[]} */ ([]);
  for (const [name, text] of settings) {
    const k = controls.findIndex((control) => control.name === name);
    if (k < 0) {
      notes.push(`The address asks for ${name}=${text}; this figure has no such control.`);
      continue;
    }
    const { values, texts } = controls[k];
    const numbers = values.filter((value) => typeof value === "number");
    const same = (/** @type {any} */ value) => String(value).toLowerCase() === text.toLowerCase();
    const exact = [values.findIndex(same), texts.findIndex(same)].find((index) => index >= 0);
    if (exact !== undefined) {
      out[k] = exact;
      continue;
    }
    const wish = text.trim() ? Number(text) : NaN;
    const away = values.map((value) => (typeof value === "number" ? Math.abs(value - wish) : NaN));
    const nearest = away.indexOf(Math.min(...away));
    const beyond = wish < Math.min(...numbers) || wish > Math.max(...numbers);
    let has = `the nearest in the figure is ${texts[nearest]}`;
    if (nearest < 0) has = `the figure has ${texts.join(", ")}`;
    else if (beyond) has = `the figure goes from ${texts[0]} to ${texts[texts.length - 1]}`;
    if (nearest >= 0) out[k] = nearest;
    notes.push(`The address asks for ${name}=${text}; ${has}.`);
  }
  return { state: out, notes };
}

/** How long a value stays while a control plays, in milliseconds: the whole range in five seconds.
 * @param {number} count of values @returns {number} */
export function pace(count) {
  return Math.min(400, Math.max(1000 / 60, 5000 / Math.max(1, count - 1)));
}

/** Tables as one file: quoted where needed, one below the other.
 * @param {Table[]} tables @returns {string} */
export function csv(tables) {
  const cell = (/** @type {any} */ value) => {
    const text = String(value ?? "");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = (/** @type {any[][]} */ rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
  return tables.map(({ columns, rows }) => lines([columns, ...rows])).join("\r\n");
}
