/* Evidence travels as soon as it is chosen: says how far it is, and stops what the office's computer would refuse. */
(() => {
  "use strict";

  const part = (name) => document.querySelector(`[data-evidence-${name}]`);
  const isEvidence = (event) => event.target instanceof Element && event.target.matches("[data-evidence]");

  function say(words) {
    const problem = part("problem");
    if (!problem) return;
    problem.textContent = words;
    problem.hidden = !words;
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isEvidence(event)) return;
    const input = event.target;
    const most = Number(document.querySelector("[data-most]").dataset.most);
    const tooBig = [...input.files].find((file) => file.size > most);
    say("");
    if (!tooBig) return;
    event.preventDefault();
    say(document.querySelector("[data-too-big]").dataset.tooBig.replace("{name}", () => tooBig.name));
    input.value = "";
  });

  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = part("progress");
    if (!bar || !isEvidence(event) || !event.detail.lengthComputable) return;
    bar.hidden = false;
    bar.value = (100 * event.detail.loaded) / event.detail.total;
  });

  document.addEventListener("htmx:responseError", (event) => {
    if (isEvidence(event)) say(event.target.closest("form").dataset.failed || "");
  });
})();
