"use strict";
// The page reads without this: it makes the three languages of an example into one choice.
const root = document.documentElement;
const languages = ["curl", "javascript", "python"];

function kept() {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

function choose(language) {
  root.dataset.language = language;
  for (const button of document.querySelectorAll("button[data-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.choice === language));
  }
  try {
    localStorage.setItem("language", language);
  } catch {
    // It is forgotten with the page.
  }
}

function button(text, choice) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (choice) made.dataset.choice = choice;
  return made;
}

async function copy(example, asked) {
  const shown = example.querySelector(`figure[data-language="${root.dataset.language}"] code`);
  let says = "Copied";
  try {
    await navigator.clipboard.writeText(shown.textContent);
  } catch {
    // Pages without https may not write to the clipboard: what is selected can be copied by hand.
    getSelection().selectAllChildren(shown);
    says = "Selected";
  }
  asked.textContent = says;
  setTimeout(() => { asked.textContent = "Copy"; }, 1500);
}

function equip(example) {
  const bar = example.querySelector(".bar");
  for (const figure of example.querySelectorAll("figure")) {
    const choice = button(figure.querySelector("figcaption").textContent, figure.dataset.language);
    choice.addEventListener("click", () => {
      const before = choice.getBoundingClientRect().top;
      choose(figure.dataset.language);
      // Examples above this one have changed their height as well.
      scrollBy({ top: choice.getBoundingClientRect().top - before, behavior: "instant" });
    });
    bar.append(choice);
  }
  const copying = button("Copy");
  copying.className = "copy";
  copying.setAttribute("aria-live", "polite");
  copying.addEventListener("click", () => copy(example, copying));
  bar.append(copying);
}

/** Marks in the contents what is being read. */
function follow() {
  const links = new Map();
  for (const link of document.querySelectorAll("nav li a")) links.set(link.hash.slice(1), link);
  let current;
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      const link = links.get(entry.target.getAttribute("aria-labelledby"));
      if (!link || link === current) continue;
      current?.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      current = link;
      reveal(link);
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const operation of document.querySelectorAll(".operation")) observer.observe(operation);
}

/** Scrolls the contents alone, where they stand beside the page. */
function reveal(link) {
  const nav = document.getElementById("contents");
  if (getComputedStyle(nav).position !== "sticky") return;
  link.closest("details").open = true;
  const [box, frame] = [link.getBoundingClientRect(), nav.getBoundingClientRect()];
  if (box.top < frame.top || box.bottom > frame.bottom) {
    nav.scrollTop += box.top - frame.top - frame.height / 3;
  }
}

root.dataset.language = languages.includes(kept()) ? kept() : "curl";
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".example").forEach(equip);
  choose(root.dataset.language);
  if (matchMedia("(max-width: 60rem)").matches) {
    for (const group of document.querySelectorAll("nav details")) group.open = false;
  }
  follow();
});
