// The pure parts of the front end, against what Python packed (run by tests/test_live_js.py).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fill, pictures, place, rows, unpack } from "../src/rnn_teach/live/live.js";

test("a state's place, the last control fastest", () => {
  assert.deepEqual([[0, 0], [0, 1], [1, 0], [2, 1]].map((s) => place(s, [3, 2])), [0, 1, 2, 5]);
  assert.equal(place([1, 2, 3], [2, 3, 4]), 23);
});

test("differences add up down each column", () => {
  assert.deepEqual(rows([10, 1, -3, 5, 0, 0], 3), [[10, 5], [11, 5], [8, 5]]);
  assert.deepEqual(rows([], 2), [[], []]);
});

test("numbers are written as Python writes them", () => {
  assert.equal(fill("M \0 \0 \0", [123, -1205, 0]), "M 12.3 -120.5 0");
  assert.equal(fill("as it is", []), "as it is");
});

test("every state of a packed figure is the one Python drew", async () => {
  const { packed, pictures: drawn, says } = JSON.parse(readFileSync(process.env.LIVE_CASE, "utf8"));
  const at = pictures(await unpack(packed));
  assert.ok(drawn.length > 1);
  for (const number of drawn.keys()) {
    assert.deepEqual(at(number), { fragments: drawn[number], sentence: says[number] });
  }
});

test("a corrupt payload is an error, not a picture", async () => {
  await assert.rejects(unpack("H4sIAAAA"));
  await assert.rejects(unpack("not base64!"));
});
