// Choosing a genre: a text box with a list below it, after the ARIA combobox pattern. What is typed and not in the list
// is a new genre.

import { ask } from "./server.js";

const TYPING_PAUSE = 120;
let made = 0;

export function chooseGenre(song, announce, onChosen, onClosed) {
  const form = document.getElementById("choose-genre").content.firstElementChild.cloneNode(true);
  const input = form.querySelector("input");
  const list = form.querySelector("ul");
  const name = `genre-${++made}`;
  input.id = name;
  list.id = `${name}-list`;
  form.querySelector("label").htmlFor = name;
  input.setAttribute("aria-controls", list.id);
  const state = { options: [], active: -1, asked: 0, pause: null };

  const show = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) activate(-1);
  };
  const activate = (index) => {
    state.active = index;
    state.options.forEach((option, i) => option.node.setAttribute("aria-selected", String(i === index)));
    if (index < 0) {
      input.removeAttribute("aria-activedescendant");
    } else {
      input.setAttribute("aria-activedescendant", state.options[index].node.id);
      state.options[index].node.scrollIntoView({ block: "nearest" });
    }
  };
  const search = async () => {
    const number = ++state.asked;
    const query = new URLSearchParams({ q: input.value, song });
    const found = await ask("GET", `genres?${query}`).catch(() => null);
    // A slow answer to an earlier letter must not replace the list for a later one.
    if (found === null || number !== state.asked) return;
    const listed = found.genres.map((genre) => ({ label: genre.id, name: genre.name, about: genre.about, isNew: false }));
    if (found.new !== null) listed.push({ label: input.value.trim(), name: found.new, about: "", isNew: true });
    state.options = listed.map((option, i) => ({ ...option, node: optionNode(option, `${list.id}-${i}`) }));
    list.replaceChildren(...state.options.map((option) => option.node));
    activate(-1);
    show(state.options.length > 0);
    form.scrollIntoView({ block: "nearest" });
    if (input.value.trim() !== "") announce(found.found);
  };
  const choose = async ({ label, isNew }) => {
    if (label === "") return input.focus();
    const error = await onChosen({ genre: label, new: isNew }, form.querySelector(".buttons button"));
    if (error !== null) {
      form.querySelector(".notice").textContent = error;
      input.focus();
      search();
    }
  };

  input.addEventListener("input", () => {
    form.querySelector(".notice").textContent = "";
    // Nobody who types on and presses Enter is to choose from the list for an earlier letter.
    state.asked += 1;
    show(false);
    clearTimeout(state.pause);
    state.pause = setTimeout(search, TYPING_PAUSE);
  });
  input.addEventListener("click", () => list.hidden && search());
  input.addEventListener("keydown", (event) => {
    const count = state.options.length;
    const steps = { ArrowDown: state.active + 1, ArrowUp: state.active < 0 ? count - 1 : state.active - 1 };
    if (event.key in steps) {
      event.preventDefault();
      if (list.hidden) search();
      else activate(((steps[event.key] % count) + count) % count);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (list.hidden) onClosed();
      else show(false);
    } else if (event.key === "Tab") {
      show(false);
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const chosen = state.options.find((option) => option.node.contains(event.target));
    if (chosen) choose(chosen);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(state.active < 0 ? { label: input.value.trim(), isNew: false } : state.options[state.active]);
  });
  form.querySelector(".close").addEventListener("click", onClosed);
  return {
    form,
    begin: () => {
      input.focus();
      search();
    },
  };
}

function optionNode(option, id) {
  const node = document.createElement("li");
  node.setAttribute("role", "option");
  node.setAttribute("aria-selected", "false");
  node.id = id;
  const name = document.createElement("bdi");
  name.textContent = option.name;
  const about = document.createElement("span");
  about.textContent = option.about;
  node.append(name, " ", about);
  return node;
}
