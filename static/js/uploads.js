/* Says which files are chosen, and what the office's computer would say about them, before they travel. */
(() => {
  "use strict";

  const form = document.querySelector("form[data-uploads]");
  if (!form) return;
  const list = form.querySelector("[data-chosen]");
  const inputs = [...form.querySelectorAll("input[type=file]")];

  function problemOf(file) {
    if (!/\.(pdf|png|jpe?g)$/i.test(file.name)) return form.dataset.wrongKind;
    return file.size > Number(form.dataset.most) ? form.dataset.tooBig : "";
  }

  function show() {
    const files = inputs.flatMap((input) => [...input.files]);
    list.replaceChildren(...files.map((file) => {
      const row = document.createElement("li");
      const problem = problemOf(file);
      row.textContent = problem ? problem.replace("{name}", () => file.name) : file.name;
      row.classList.toggle("text-danger", Boolean(problem));
      return row;
    }));
    list.hidden = files.length === 0;
  }

  for (const input of inputs) input.addEventListener("change", show);
})();
