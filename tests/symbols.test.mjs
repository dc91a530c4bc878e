// Which row of the table a symbol means, and which symbol a finger means (run by tests/test_symbols.py).
import assert from "node:assert/strict";
import { test } from "node:test";
import { entry, nearest } from "../src/rnn_teach/sphinxext/symbols.js";

const table = { h_t: "state", h_0: "first", W_h: "weights", "φ'": "slope", L: "loss" };

test("a state at any moment is the state, but for the first", () => {
  for (const moment of ["t", "t-1", "T−k+1", "T", "50", "i"]) assert.equal(entry(table, "h", moment, ""), "state", moment);
  assert.equal(entry(table, "h", "0", ""), "first");
});

test("another letter below, a prime or a name of JavaScript is another symbol", () => {
  for (const [base, below, primes] of [["h", "j,t", ""], ["h", "hn", ""], ["W", "x", ""], ["W", "t", ""], ["L", "", "'"], ["toString", "", ""]]) {
    assert.equal(entry(table, base, below, primes), undefined, base + below + primes);
  }
  assert.equal(entry(table, "φ", "", "'"), "slope");
});

test("the nearest box within reach", () => {
  const boxes = [{ left: 0, top: 0, right: 10, bottom: 10 }, { left: 20, top: 0, right: 30, bottom: 10 }];
  assert.equal(nearest(boxes, 5, 5, 0), 0);
  assert.equal(nearest(boxes, 16, 5, 4), 1);
  assert.equal(nearest(boxes, 33, 14, 5), 1);
  assert.equal(nearest(boxes, 33, 14, 4), -1);
  assert.equal(nearest([], 0, 0, 100), -1);
});
