// Which slide a key leads to, and which an address asks for (run by tests/test_slides.py).
import assert from "node:assert/strict";
import { test } from "node:test";
import { first, turned } from "../src/rnn_teach/sphinxext/slides.js";

test("a presenter's remote turns the slides, whatever has the focus", () => {
  for (const busy of [true, false]) {
    assert.equal(turned("PageDown", busy, 1, 3), 2);
    assert.equal(turned("PageUp", busy, 1, 3), 0);
  }
});

test("arrows and space belong to a control that has the focus", () => {
  for (const [key, to] of [["ArrowRight", 2], [" ", 2], ["ArrowLeft", 0]]) {
    assert.equal(turned(key, false, 1, 3), to);
    assert.equal(turned(key, true, 1, 3), undefined);
  }
});

test("there is nothing before the first and after the last, and no other key turns", () => {
  assert.equal(turned("PageUp", false, 0, 3), undefined);
  assert.equal(turned("PageDown", false, 2, 3), undefined);
  for (const key of ["ArrowUp", "ArrowDown", "Home", "End", "Enter", "a"]) assert.equal(turned(key, false, 1, 3), undefined);
});

test("the address names the first slide, with or without a state", () => {
  const names = ["question-wave", "wave", "letters"];
  assert.equal(first(names, ""), 0);
  assert.equal(first(names, "#wave"), 1);
  assert.equal(first(names, "#letters?count=3"), 2);
  assert.equal(first(names, "#elsewhere"), 0);
});
