"use strict";
(() => {
  const main = document.getElementById("content");
  const said = document.getElementById("said");

  // Terms: equal ones carry equal names. Under the pointer or the focus, a term is marked wherever it occurs.
  const places = new Map();
  for (const element of main.querySelectorAll("[data-term]")) {
    const name = element.dataset.term;
    if (!places.has(name)) places.set(name, []);
    places.get(name).push(element);
  }
  let marked = null;
  let pinned = null;
  const mark = (name) => {
    if (name === marked) return;
    for (const element of places.get(marked) ?? []) element.classList.remove("marked");
    for (const element of places.get(name) ?? []) element.classList.add("marked");
    marked = name;
  };
  const termAt = (target) => target.closest?.("[data-term]")?.dataset.term ?? null;
  main.addEventListener("pointerover", (event) => mark(termAt(event.target) ?? pinned));
  main.addEventListener("pointerleave", () => mark(pinned));
  main.addEventListener("click", (event) => {
    const name = termAt(event.target);
    pinned = name === pinned ? null : name;
    mark(pinned);
  });
  main.addEventListener("focusin", (event) => {
    const name = event.target.dataset?.term;
    if (name === undefined) return;
    pinned = name;
    mark(name);
    said.textContent = said.dataset.places.replace("{term}", name).replace("{places}", String(places.get(name).length));
  });
  main.addEventListener("focusout", (event) => {
    if (event.target.dataset?.term === undefined) return;
    pinned = null;
    mark(null);
  });

  // One stop of the tabulator for a group of steps; from there the arrow keys walk through its terms.
  const visible = (element) => element.getClientRects().length > 0;
  const walk = (chain, event) => {
    const terms = [...chain.querySelectorAll("[data-term]")].filter(visible);
    const here = terms.indexOf(document.activeElement);
    const next = {
      ArrowRight: Math.min(here + 1, terms.length - 1),
      ArrowLeft: Math.max(here - 1, 0),
      Home: 0,
      End: terms.length - 1,
    }[event.key];
    if (event.key === "Escape" && here >= 0) chain.focus();
    else if (next !== undefined && terms.length > 0) {
      terms[next].tabIndex = -1;
      terms[next].focus();
      terms[next].scrollIntoView({ block: "nearest", inline: "nearest" });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  for (const chain of main.querySelectorAll(".chain")) {
    chain.addEventListener("keydown", (event) => {
      const plain = !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
      const scrolls = event.target.matches(".scroll");
      if (plain && !scrolls && !document.body.classList.contains("presenting")) walk(chain, event);
    });
  }

  // A box that scrolls sideways can be reached by the keyboard, as long as it does.
  const boxes = [...main.querySelectorAll(".scroll")];
  const reach = () => {
    for (const box of boxes) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", said.dataset.wide);
      } else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  };
  reach();
  addEventListener("resize", reach);

  // Presentation: one step a slide. It advances by itself only after Play, and never where less motion is asked for.
  const seconds = 3;
  // A paragraph that leads to a chain, a table or code is shown with each step of it, not by itself.
  const leads = (element) => element.matches("p") && element.nextElementSibling?.matches(".chain, figure");
  const steps = [...main.querySelectorAll(".step")].filter((element) => !leads(element));
  const deck = document.getElementById("deck");
  const present = document.getElementById("present");
  const play = document.getElementById("play");
  const state = document.getElementById("state");
  const where = document.getElementById("where");
  const less = matchMedia("(prefers-reduced-motion: reduce)");
  let at = 0;
  let timer = null;

  const headingOf = (block) => {
    for (let element = block; element !== null; element = element.previousElementSibling) {
      if (/^H[1-6]$/.test(element.tagName)) return element;
    }
    return null;
  };
  const clear = () => {
    for (const element of main.querySelectorAll(".on, .lead, .before, .continues, .again")) {
      if (element.classList.contains("again")) element.replaceChildren();
      element.classList.remove("on", "lead", "before", "continues", "again");
    }
  };
  const showGoal = (line) => {
    let first = line;
    while (first.querySelector(".goal:empty") && first.previousElementSibling) first = first.previousElementSibling;
    const goal = line.querySelector(".goal");
    if (first === line || goal === null) return;
    goal.classList.add("again");
    goal.append(...[...first.querySelector(".goal").childNodes].map((node) => node.cloneNode(true)));
  };
  const showContinued = (before, line) => {
    const names = (element) => [...element.querySelectorAll(".expression [data-term]")];
    const earlier = new Set(names(before).map((element) => element.dataset.term));
    const shared = new Set(names(line).map((element) => element.dataset.term).filter((name) => earlier.has(name)));
    for (const element of [...names(before), ...names(line)]) {
      const within = element.parentElement.closest("[data-term]");
      if (shared.has(element.dataset.term) && !(within && shared.has(within.dataset.term))) element.classList.add("continues");
    }
  };
  const show = (step) => {
    at = Math.max(0, Math.min(step, steps.length - 1));
    clear();
    const now = steps[at];
    now.classList.add("on");
    const block = now.closest("main > *");
    block.classList.add("on");
    headingOf(block)?.classList.add("on");
    if (block.previousElementSibling !== null && leads(block.previousElementSibling)) {
      block.previousElementSibling.classList.add("lead");
    }
    const before = now.previousElementSibling;
    if (now.matches(".line")) {
      if (before !== null && now.querySelector(".goal:empty")) {
        before.classList.add("before");
        showContinued(before, now);
        showGoal(before);
      }
      if (!before?.classList.contains("before")) showGoal(now);
    }
    where.textContent = where.dataset.text.replace("{step}", String(at + 1)).replace("{steps}", String(steps.length));
    said.textContent = where.textContent;
    reach();
    scrollTo(0, 0);
    if (at === steps.length - 1) pause();
  };
  const pause = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = play.dataset.play;
    state.textContent = less.matches ? state.dataset.still : state.dataset.paused;
    play.hidden = less.matches;
  };
  const advance = () => {
    play.textContent = play.dataset.pause;
    state.textContent = state.dataset.playing;
    timer = setInterval(() => show(at + 1), seconds * 1000);
  };
  const move = (by) => {
    pause();
    show(at + by);
  };
  const open = () => {
    const top = steps.findIndex((step) => step.getBoundingClientRect().bottom > 0);
    document.body.classList.add("presenting");
    deck.hidden = false;
    pause();
    show(Math.max(top, 0));
    document.getElementById("next").focus();
  };
  const close = () => {
    pause();
    const now = steps[at];
    clear();
    document.body.classList.remove("presenting");
    deck.hidden = true;
    reach();
    present.focus({ preventScroll: true });
    now.scrollIntoView({ block: "center" });
  };
  if (steps.length > 0) present.hidden = false;
  present.addEventListener("click", open);
  document.getElementById("close").addEventListener("click", close);
  document.getElementById("previous").addEventListener("click", () => move(-1));
  document.getElementById("next").addEventListener("click", () => move(1));
  play.addEventListener("click", () => (timer === null ? advance() : pause()));
  less.addEventListener("change", pause);
  document.addEventListener("visibilitychange", pause);
  document.addEventListener("keydown", (event) => {
    if (!document.body.classList.contains("presenting") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.matches?.(".scroll") && event.key.startsWith("Arrow")) return;
    const act = {
      ArrowRight: () => move(1),
      PageDown: () => move(1),
      ArrowLeft: () => move(-1),
      PageUp: () => move(-1),
      Home: () => move(-steps.length),
      End: () => move(steps.length),
      Escape: close,
    }[event.key];
    if (act === undefined) return;
    act();
    event.preventDefault();
  });
})();
