/* The list of what is due: the sum follows the ticks, and all can be ticked at once. Without it the server adds up. */
(() => {
  "use strict";

  const list = document.querySelector("[data-pick-list]");
  const sum = list?.querySelector("[data-pick-sum]");
  if (!sum) return;
  const boxes = [...list.querySelectorAll("input[name=selected]:not(:disabled)")];
  const all = list.querySelector("[data-pick-all]");

  /* As the server writes sums (opscom/core/money.py), so that a sum looks the same before and after the first click. */
  const isFrench = document.documentElement.lang.startsWith("fr");
  const number = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  function write(cents) {
    return isFrench ? `${number.format(cents / 100)} $` : `$${number.format(cents / 100)}`;
  }

  function show() {
    const ticked = boxes.filter((box) => box.checked);
    const text = document.createElement("span");
    text.className = "money";
    text.textContent = write(ticked.reduce((cents, box) => cents + Number(box.dataset.cents), 0));
    sum.replaceChildren(text);
    if (!all) return;
    all.checked = ticked.length === boxes.length;
    all.indeterminate = ticked.length > 0 && ticked.length < boxes.length;
  }

  function tickAll(isTicked) {
    for (const box of boxes) box.checked = isTicked;
    show();
  }

  if (all) {
    /* Here the box ticks the others, and only they are sent. */
    all.removeAttribute("name");
    all.addEventListener("change", () => tickAll(all.checked));
    list.querySelector("[data-pick-with-script]").hidden = false;
    list.querySelector("[data-pick-without-script]").hidden = true;
  }
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey) tickAll(box.checked);
      else show();
    });
    /* Not every browser hands the Shift key on from a label to its box, and each would mark the text. */
    for (const label of box.labels) {
      label.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
      label.addEventListener("click", (event) => {
        if (!event.shiftKey) return;
        event.preventDefault();
        tickAll(!box.checked);
      });
    }
  }
  /* A browser that comes back to the page may bring its own ticks along. */
  window.addEventListener("pageshow", show);
  show();
})();
