// What a question does next, and what it takes for an answer (run by tests/test_questions.py).
import assert from "node:assert/strict";
import { test } from "node:test";
import { label, next, recall, word } from "../src/rnn_teach/sphinxext/questions.js";

test("a question is told at once, again and again", () => {
  assert.equal(next("open", false), "told");
  assert.equal(next("told", false), "told");
  assert.equal(label("told", false), "Check");
});

test("a prediction is committed, compared, and open again", () => {
  assert.deepEqual(["open", "committed", "told"].map((stage) => next(stage, true)), ["committed", "told", "open"]);
  assert.deepEqual(["open", "committed", "told"].map((stage) => label(stage, true)), ["Commit", "Compare", "Predict again"]);
});

test("a wrong prediction is not called wrong", () => {
  assert.deepEqual([word(false, true, true), word(false, true, false), word(false, false, true)], ["✓ right", "✗ wrong", ""]);
  assert.deepEqual([word(true, true, true), word(true, true, false), word(true, false, true), word(true, false, false)],
    ["as predicted", "your prediction", "what happens", ""]);
});

test("only an answer to this question is remembered", () => {
  assert.deepEqual(recall("told 2", 3), { choice: 2, stage: "told" });
  assert.deepEqual(recall("committed 0", 3), { choice: 0, stage: "committed" });
  for (const text of [null, "", "told", "told 3", "told -1", "told 1.5", "open 1", "x 1", "1 told"]) {
    assert.equal(recall(text, 3), null, String(text));
  }
});
