/**
 * Marks the questions of a page and keeps the predictions that a reader commits to.
 * A question is open until a choice is checked; a prediction is committed first, then compared.
 */

/** @typedef {"open" | "committed" | "told"} Stage */
/** @typedef {{choice: number, stage: Stage}} Answer */

/** What a press of the one button leads to.
 * @param {Stage} stage @param {boolean} prediction @returns {Stage} */
export function next(stage, prediction) {
  if (!prediction) return "told";
  return /** @type {const} */ ({ open: "committed", committed: "told", told: "open" })[stage];
}

/** What the one button does next.
 * @param {Stage} stage @param {boolean} prediction @returns {string} */
export function label(stage, prediction) {
  return prediction ? { open: "Commit", committed: "Compare", told: "Predict again" }[stage] : "Check";
}

/** The word beside a choice, once the reader has been told.
 * @param {boolean} prediction @param {boolean} chosen @param {boolean} right @returns {string} */
export function word(prediction, chosen, right) {
  if (prediction) return chosen ? (right ? "as predicted" : "your prediction") : right ? "what happens" : "";
  return chosen ? (right ? "✓ right" : "✗ wrong") : "";
}

/** What was kept, if it can be an answer to this question.
 * @param {string | null} text @param {number} count of choices @returns {Answer | null} */
export function recall(text, count) {
  const [stage, digits] = (text ?? "").split(" ");
  const choice = /^\d$/.test(digits) ? Number(digits) : count;
  return choice < count && (stage === "committed" || stage === "told") ? { choice, stage } : null;
}

/** A browser may forbid storage; then nothing is remembered, and nothing else changes. */
const memory = {
  /** @param {string} key */
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  /** @param {string} key @param {string} text */
  set(key, text) {
    try {
      if (text) localStorage.setItem(key, text);
      else localStorage.removeItem(key);
    } catch {}
  },
};

/** A paragraph that says a few words and then repeats a choice.
 * @param {string} words @param {Element} [choice] */
function verdict(words, choice) {
  const paragraph = document.createElement("p");
  paragraph.className = "question-verdict";
  paragraph.append(words, ...(choice ? [" ", choice.querySelector("label span").cloneNode(true)] : []));
  return paragraph;
}

/** Why a choice is right or wrong. @param {Element} choice */
const because = (choice) => choice.querySelector(".question-because").cloneNode(true);

/** Everything a reader is told. @param {Stage} stage @param {boolean} prediction
 * @param {Element} chosen @param {Element} right @returns {Node[]} */
function told(stage, prediction, chosen, right) {
  if (stage === "open") return [];
  if (stage === "committed") return [verdict("Committed. Now look, and then compare.")];
  if (!prediction) {
    return [verdict(chosen === right ? "Right." : "Wrong. Read why, and choose again."), because(chosen)];
  }
  if (chosen === right) return [verdict("As you predicted:", right), because(right)];
  return [verdict("You predicted:", chosen), because(chosen), verdict("What happens:", right), because(right)];
}

/** Bring one question to life. @param {HTMLFormElement} form */
function wake(form) {
  const prediction = "prediction" in form.dataset;
  const choices = [...form.querySelectorAll(".question-choice")];
  const radios = /** @type {HTMLInputElement[]} */ (choices.map((choice) => choice.querySelector("input")));
  const button = form.querySelector("button");
  const right = choices.find((choice) => "right" in /** @type {HTMLElement} */ (choice).dataset);

  /** @param {number} number @param {Stage} stage */
  function show(number, stage) {
    const solved = stage === "told" && (prediction || choices[number] === right);
    form.dataset.stage = stage;
    form.toggleAttribute("data-solved", solved);
    choices.forEach((choice, k) => {
      const chosen = stage !== "open" && k === number;
      const said = stage === "told" ? word(prediction, chosen, choice === right) : "";
      choice.toggleAttribute("data-chosen", chosen);
      choice.querySelector("label").dataset.word = said;
      radios[k].disabled = prediction && stage !== "open";
      if (stage !== "open") radios[k].checked = k === number;
    });
    button.textContent = label(stage, prediction);
    form.querySelector(".question-result").replaceChildren(...told(stage, prediction, choices[number], right));
  }

  form.addEventListener("change", () => show(-1, "open"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const choice = radios.findIndex((radio) => radio.checked);
    const stage = next(/** @type {Stage} */ (form.dataset.stage), prediction);
    show(choice, stage);
    memory.set(form.dataset.key, stage === "open" ? "" : `${stage} ${choice}`);
  });

  const kept = recall(memory.get(form.dataset.key), choices.length);
  show(kept?.choice ?? -1, kept?.stage ?? "open");
  button.disabled = false;
}

/** Bring every question of the page to life. */
export function start() {
  for (const form of document.querySelectorAll("form.question")) wake(/** @type {HTMLFormElement} */ (form));
}
