/* What makes the pages pleasant; each of them also works without this file. */
(() => {
  "use strict";

  /* After a page or a swap with errors, the summary takes the focus: it is what to read first. */
  function focusSummary(root) {
    root.querySelector("[data-error-summary]")?.focus();
  }

  /* Countdown to the time in data-countdown. Only two moments are spoken: five minutes before the end, and the end. */
  const WARN_SECONDS = 5 * 60;

  function say(box, text) {
    const voice = box.querySelector("[data-countdown-voice]");
    if (voice && text && voice.textContent !== text) voice.textContent = text;
  }

  function tick(box) {
    const left = Math.max(0, Math.round((Date.parse(box.dataset.countdown) - Date.now()) / 1000));
    const face = box.querySelector("[data-countdown-face]");
    if (face) {
      face.hidden = false;
      face.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }
    box.classList.toggle("soon", left <= WARN_SECONDS);
    if (left === 0) say(box, box.dataset.over);
    else if (left <= WARN_SECONDS) say(box, box.dataset.soon);
    return left > 0;
  }

  function startCountdowns(root) {
    for (const box of root.querySelectorAll("[data-countdown]:not([data-running])")) {
      box.dataset.running = "";
      if (!tick(box)) continue;
      const timer = setInterval(() => {
        if (!box.isConnected || !tick(box)) clearInterval(timer);
      }, 1000);
    }
  }

  /* A form with data-once is sent once, however often its button is pressed. */
  function rest(form, isBusy) {
    for (const button of form.querySelectorAll("button:not([type=button])")) {
      button.disabled = isBusy;
      button.toggleAttribute("aria-busy", isBusy);
      if (isBusy) button.setAttribute("aria-busy", "true");
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-once]")) {
      if (form.dataset.sent !== undefined) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      form.dataset.sent = "";
      /* Later, so that the pressed button's own name and value are still sent. A download leaves the page where it
         is, so such a form (data-once="5") wakes again after that many seconds. */
      setTimeout(() => rest(form, true));
      if (form.dataset.once) setTimeout(() => wake(form), Number(form.dataset.once) * 1000);
    }
    /* Told now, whether another handler stops the form or not is known only after this round. */
    setTimeout(() => {
      if (!event.defaultPrevented && !form.dataset.once && form.target !== "_blank") showBusy(true);
    });
  }, true);

  function wake(form) {
    delete form.dataset.sent;
    rest(form, false);
  }

  function wakeAll() {
    document.querySelectorAll("form[data-sent]").forEach(wake);
    showBusy(false);
  }

  /* The line at the top while something is on its way. */
  function showBusy(isBusy) {
    const line = document.querySelector("[data-busy-line]");
    if (line) line.hidden = !isBusy;
  }

  /* Menus close when one clicks elsewhere or presses Escape; the focus returns to what opened them. */
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  /* "Print" on pages that are themselves the paper (receipts). Hidden where there is no script to print with. */
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  /* `Select/Deselect All`: ticks every box of its form, or clears them when all are ticked. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-toggle]");
    if (!button) return;
    event.preventDefault();
    const boxes = [...button.form.querySelectorAll("input[type=checkbox]")];
    const isAll = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !isAll;
  });

  /* A pop-up lies over the page; put away with Escape it leads on, as its own button does. */
  function openPopUp() {
    const popUp = document.querySelector("dialog[data-pop-up]");
    if (!popUp) return;
    /* Not `close()`: its event comes later, and would be taken for the reader's. */
    popUp.removeAttribute("open");
    popUp.showModal();
    popUp.addEventListener("close", () => popUp.querySelector("[data-pop-up-next]").click());
  }

  function start(root) {
    for (const button of root.querySelectorAll("[data-print][hidden]")) button.hidden = false;
    startCountdowns(root);
    focusSummary(root);
  }

  document.addEventListener("htmx:beforeRequest", () => showBusy(true));
  document.addEventListener("htmx:afterRequest", wakeAll);
  document.addEventListener("htmx:load", (event) => {
    if (event.target !== document.body) start(event.target.parentNode ?? event.target);
  });
  /* A page that comes back from the browser's own memory must not come back asleep. */
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) wakeAll();
  });
  start(document);
  openPopUp();
})();
