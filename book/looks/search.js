/* In an excerpt of a search's result formulas, code and pictures would be rows of broken signs. */

addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const toText = Search.htmlToText;
  /** @param {string} html @param {string} [anchor] */
  Search.htmlToText = (html, anchor) =>
    toText(html.replace(/<(mjx-container|svg|pre)\b.*?<\/\1>/gs, "…"), anchor);
});
