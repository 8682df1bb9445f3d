/* The list of what is due: the sum follows the ticks, and all can be ticked at once. Without it the server adds up. */
(() => {
  "use strict";

  const list = document.querySelector("[data-pick-list]");
  const sum = list?.querySelector("[data-pick-sum]");
  if (!sum) return;
  const boxes = [...list.querySelectorAll("input[name=selected]:not(:disabled)")];
  const all = list.querySelector("[data-pick-all]");
  const money = new Intl.NumberFormat(document.documentElement.lang, {
    style: "currency", currency: sum.dataset.currency, currencyDisplay: "narrowSymbol",
  });

  function show() {
    const ticked = boxes.filter((box) => box.checked);
    const text = document.createElement("span");
    text.className = "money";
    text.textContent = money.format(ticked.reduce((cents, box) => cents + Number(box.dataset.cents), 0) / 100);
    sum.replaceChildren(text);
    all.checked = ticked.length === boxes.length;
    all.indeterminate = ticked.length > 0 && ticked.length < boxes.length;
  }

  function tickAll(isTicked) {
    for (const box of boxes) box.checked = isTicked;
    show();
  }

  list.querySelector("[data-pick-all-label]").hidden = boxes.length < 2;
  all.addEventListener("change", () => tickAll(all.checked));
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey) tickAll(box.checked);
      else show();
    });
  }
  /* A browser that comes back to the page may bring its own ticks along. */
  window.addEventListener("pageshow", show);
  show();
})();
