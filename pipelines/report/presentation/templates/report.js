"use strict";
(() => {
  const gallery = document.querySelector(".gallery:not(.side)");
  if (!gallery) return;
  const cards = [...gallery.children];
  const scores = new Map(cards.map(card => [card, JSON.parse(card.dataset.scores)]));
  const controls = document.querySelector(".controls");
  const buttons = [...controls.querySelectorAll("[data-show]")];
  const language = controls.querySelector("[data-language]");
  const order = controls.querySelector("[data-order]");
  const dialog = document.querySelector("dialog");
  let group = "";
  let current = null;

  const shown = () => [...gallery.children].filter(card => !card.hidden);

  function show() {
    for (const card of cards) {
      card.hidden = (group !== "" && card.dataset.group !== group)
        || Boolean(language && language.value && card.dataset.language !== language.value);
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === group));
    const num = shown().length;
    controls.querySelector("output").textContent = num === cards.length ? "" : `${num} of ${cards.length} shown`;
  }

  function sort() {
    const [k, sign] = order.value.split(" ").map(Number);
    const sorted = order.value === "" ? cards : [...cards].sort((a, b) => {
      const x = scores.get(a)[k], y = scores.get(b)[k];
      if (x === null || y === null) return (x === null) - (y === null);  // without the score: last
      return sign * (x - y);
    });
    gallery.append(...sorted);
  }

  function enlarge(card) {
    current = card;
    const picture = card.querySelector("img, .broken").cloneNode(true);
    picture.removeAttribute("loading");
    dialog.querySelector(".stage").replaceChildren(picture);
    dialog.querySelector(".title").replaceChildren(card.querySelector(".title bdi").cloneNode(true));
    const about = card.querySelector("dl").cloneNode(true);
    about.hidden = false;
    dialog.querySelector(".about").replaceChildren(about);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }

  function step(by) {
    const list = shown();
    enlarge(list[(list.indexOf(current) + by + list.length) % list.length]);
  }

  controls.hidden = false;
  for (const button of buttons) button.addEventListener("click", () => { group = button.dataset.show; show(); });
  if (language) language.addEventListener("change", show);
  order.addEventListener("change", sort);
  gallery.addEventListener("click", event => {
    if (event.target.closest("button")) enlarge(event.target.closest("li"));
  });
  dialog.addEventListener("click", event => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    const button = event.target.closest("[data-step]");
    if (button) step(Number(button.dataset.step));
  });
  dialog.addEventListener("keydown", event => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => current && current.querySelector("button").focus());
})();
(() => {
  for (const figure of document.querySelectorAll(".threshold")) {
    const steps = JSON.parse(figure.dataset.steps), present = Number(figure.dataset.present);
    const slider = figure.querySelector(".slider"), input = slider.querySelector("input");
    const show = () => {
      const [value, kept] = steps[input.value], change = kept - steps[present][1];
      const code = document.createElement("code");
      code.textContent = `--set ${figure.dataset.setting}=${value.replaceAll(",", "")}`;
      const told = change === 0 ? "as now" : `${change > 0 ? "+" : "−"}${Math.abs(change).toLocaleString("en")}`;
      slider.querySelector(".told").replaceChildren(`${value} keeps ${kept.toLocaleString("en")} (${told}) `, code);
    };
    slider.hidden = false;
    input.addEventListener("input", show);
    show();
  }
})();
