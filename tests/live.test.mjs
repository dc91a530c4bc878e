// The pure parts of the front end, against what Python packed (run by tests/test_live_js.py).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { address, asked, csv, fill, pace, pictures, place, resolve, sums, unpack } from "../src/rnn_teach/live/states.js";

const spec = {
  name: "flow",
  controls: [
    { name: "gain", label: "gain", kind: "slider", values: [0.5, 1, 1.5, 2], texts: ["0.5", "1.0", "1.5", "2.0"] },
    { name: "steps", label: "steps", kind: "slider", values: [20, 50], texts: ["20 steps", "50 steps"] },
    { name: "cell", label: "cell", kind: "select", values: ["RNN", "leaky_relu", "50 & 1%+"], texts: ["plain RNN", "leaky ReLU", "odd"] },
    { name: "noise", label: "noise", kind: "checkbox", values: [false, true], texts: ["False", "True"] },
  ],
};
const first = [1, 0, 0, 0];
const go = (hash) => resolve(spec, asked(hash).settings, first);

test("a state's place, the last control fastest", () => {
  assert.deepEqual([[0, 0], [0, 1], [1, 0], [2, 1]].map((s) => place(s, [3, 2])), [0, 1, 2, 5]);
  assert.equal(place([1, 2, 3], [2, 3, 4]), 23);
});

test("differences add up down each column", () => {
  assert.deepEqual(sums([10, 1, -3, 5, 0, 0], 3), [10, 11, 8, 5, 5, 5]);
  assert.deepEqual(sums([], 2), []);
});

test("numbers are written as Python writes them", () => {
  assert.equal(fill(["M ", " ", " ", ""], [7, 123, 7, -1205, 7, 0], 1, 2), "M 12.3 -120.5 0");
  assert.equal(fill(["as it is"], [], 0, 1), "as it is");
});

test("every state of a packed figure is the one Python drew", async () => {
  const { packed, pictures: drawn, says } = JSON.parse(readFileSync(process.env.LIVE_CASE, "utf8"));
  const at = await pictures(await unpack(packed));
  assert.ok(drawn.length > 1);
  for (const number of [...drawn.keys()].reverse()) {
    assert.deepEqual(at(number), { fragments: drawn[number], sentence: says[number] });
  }
});

test("while a figure is unpacked the page may answer", async () => {
  const slot = { templates: [""], kinds: [0], columns: [[]], at: [0] };
  const ready = pictures({ slots: [slot, slot, slot], words: [""], says: [0] });
  let answers = 0;
  const timer = setInterval(() => (answers += 1), 0);
  await ready;
  clearInterval(timer);
  assert.ok(answers > 1, `${answers} answers`);
});

test("a corrupt payload is an error, not a picture", async () => {
  await assert.rejects(unpack("H4sIAAAA"));
  await assert.rejects(unpack("not base64!"));
});

test("every state's address leads back to it", () => {
  for (const state of [[0, 0, 0, 0], [3, 1, 2, 1], [2, 0, 1, 1]]) {
    const hash = address(spec, state);
    assert.match(hash, /^#flow\?[\w=&.%+-]+$/);
    assert.deepEqual(asked(hash).name, "flow");
    assert.deepEqual(go(hash), { state, notes: [] });
  }
  assert.equal(address(spec, first), "#flow?gain=1&steps=20&cell=RNN&noise=false");
});

test("an address may name some controls, by value or by text", () => {
  assert.deepEqual(go("#flow"), { state: first, notes: [] });
  assert.deepEqual(go("#flow?gain=2.0&noise=True").state, [3, 0, 0, 1]);
  assert.deepEqual(go("#flow?cell=leaky%20ReLU&steps=50%20steps").state, [1, 1, 1, 0]);
  assert.deepEqual(asked(""), { name: "", settings: [] });
});

test("what a figure does not have is said, and the nearest or the present value shown", () => {
  const cases = {
    "gain=9": [[3, 0, 0, 0], "The address asks for gain=9; the figure goes from 0.5 to 2.0."],
    "gain=-1": [[0, 0, 0, 0], "The address asks for gain=-1; the figure goes from 0.5 to 2.0."],
    "gain=1.6": [[2, 0, 0, 0], "The address asks for gain=1.6; the nearest in the figure is 1.5."],
    "gain=": [first, "The address asks for gain=; the figure has 0.5, 1.0, 1.5, 2.0."],
    "gain=much": [first, "The address asks for gain=much; the figure has 0.5, 1.0, 1.5, 2.0."],
    "cell=GRU": [first, "The address asks for cell=GRU; the figure has plain RNN, leaky ReLU, odd."],
    "color=1": [first, "The address asks for color=1; this figure has no such control."],
  };
  for (const [query, [state, note]] of Object.entries(cases)) {
    assert.deepEqual(go(`#flow?${query}`), { state, notes: [note] });
  }
});

test("a range plays in about five seconds, no value shorter than a frame", () => {
  for (const count of [31, 101]) assert.equal(Math.round(pace(count) * (count - 1)), 5000);
  assert.equal(pace(2), 400);
  assert.equal(pace(2000), 1000 / 60);
});

test("a table as CSV, quoted where it must be", () => {
  const table = { columns: ["t", 'a "b", c'], rows: [[0, 1.5], ["two\nlines", null]] };
  assert.equal(csv([table]), 't,"a ""b"", c"\r\n0,1.5\r\n"two\nlines",\r\n');
  assert.equal(csv([table, table]).split("\r\n\r\n").length, 2);
});
