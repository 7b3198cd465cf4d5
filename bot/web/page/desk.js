// The moderators' page: the queue, readiness, accuracy over time and releases. Everything comes worded from the server.

import { Refused, ask } from "./server.js";

const at = (id) => document.getElementById(id);
const word = (name) => at(`word-${name}`).content.textContent.trim();
const dark = matchMedia("(prefers-color-scheme: dark)");

let state = { songs: [], readiness: [], run: "", releases: [], names: {} };
let undoable = [];
const chosen = new Set();

function made(tag, text, attributes = {}) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function drawn(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

const shown = () => {
  const text = at("filter").value.trim().toLowerCase();
  const said = (song) => [song.title, song.said, ...song.opinions.map((opinion) => opinion.name)].join(" ").toLowerCase();
  return state.songs.filter((song) => said(song).includes(text));
};

function songItem(song, number) {
  const item = made("li", undefined, { tabindex: number ? "-1" : "0", "data-song": song.song });
  const label = made("label");
  const box = made("input", undefined, { type: "checkbox", "aria-label": `${word("select")}: ${song.title}` });
  box.checked = chosen.has(song.song);
  box.tabIndex = -1;
  box.addEventListener("change", () => (box.checked ? chosen.add(song.song) : chosen.delete(song.song)));
  label.append(box, made("strong", song.title));
  item.append(label, made("p", song.said));
  if (song.disputed) item.append(made("p", word("disputed"), { class: "disputed" }));
  const list = made("ul");
  for (const opinion of song.opinions) list.append(made("li", `#${opinion.id} ${opinion.name} (${opinion.person})`));
  item.append(list);
  const theme = dark.matches ? "dark" : "light";
  const source = `/moderate/answers/${song.answer}/timeline-${theme}.png`;
  item.append(made("img", undefined, { src: source, alt: `${word("timeline")}: ${song.said}`, loading: "lazy" }));
  return item;
}

function showQueue(focused = null) {
  const songs = shown();
  at("queue").replaceChildren(...songs.map(songItem));
  at("empty").hidden = songs.length > 0;
  const items = [...at("queue").children];
  if (focused !== null && items.length) move(items, Math.min(focused, items.length - 1));
}

function move(items, to) {
  for (const item of items) item.tabIndex = -1;
  items[to].tabIndex = 0;
  items[to].focus();
}

function showRest() {
  at("readiness").replaceChildren(...state.readiness.map((line) => made("li", line)));
  at("run").textContent = state.run;
  const releases = state.releases.map((release) => {
    const item = made("li");
    const heading = `${release.name}, ${release.made}${release.serving ? ` – ${word("serving")}` : ""}`;
    item.append(made("strong", heading), made("p", release.figure));
    for (const reason of release.reasons) item.append(made("p", reason, { class: "small" }));
    if (!release.serving) {
      const button = made("button", word("promote"), { type: "button", "aria-label": `${word("promote")}: ${release.name}` });
      button.addEventListener("click", () => act("/moderate/releases", { name: release.name }));
      item.append(button);
    }
    return item;
  });
  at("releases").replaceChildren(...releases.reverse());
  const picked = at("genre").value;
  const options = Object.entries(state.names).map(([genre, name]) => made("option", name, { value: genre }));
  at("genre").replaceChildren(...options);
  if (picked in state.names) at("genre").value = picked;
  showChart();
}

function showChart() {
  const genre = at("genre").value;
  const points = state.releases.filter((release) => genre in release.genres);
  if (!points.length) {
    at("chart").replaceChildren(made("p", word("no-figures")));
    return;
  }
  const [width, height, left, bottom] = [640, 220, 48, 36];
  const x = (place) => left + (place + 0.5) * ((width - left) / points.length);
  const y = (share) => 10 + (1 - share) * (height - bottom - 10);
  const told = points.map((release) => `${release.made}: ${Math.round(100 * release.genres[genre])}%`).join(", ");
  const chart = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  chart.setAttribute("aria-label", `${word("recognised")}, ${state.names[genre]}: ${told}`);
  for (const share of [0, 0.5, 1]) {
    chart.append(drawn("line", { x1: left, x2: width, y1: y(share), y2: y(share) }));
    chart.append(drawn("text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, `${100 * share}%`));
  }
  const path = points.map((release, place) => `${place ? "L" : "M"}${x(place)} ${y(release.genres[genre])}`).join("");
  chart.append(drawn("path", { d: path }));
  points.forEach((release, place) => {
    chart.append(drawn("circle", { cx: x(place), cy: y(release.genres[genre]), r: 4 }));
    if (points.length <= 8) {
      chart.append(drawn("text", { x: x(place), y: height - 12, "text-anchor": "middle" }, release.made));
    }
  });
  at("chart").replaceChildren(chart);
}

async function load(focused = null) {
  try {
    state = await ask("GET", `/moderate/state${at("all").checked ? "?show=all" : ""}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    at("notice").textContent = error.message;
    return;
  }
  const known = new Set(state.songs.map((song) => song.song));
  for (const song of chosen) if (!known.has(song)) chosen.delete(song);
  showQueue(focused);
  showRest();
}

async function act(path, body, focused = null) {
  try {
    at("notice").textContent = (await ask("POST", path, body)).notice;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    at("notice").textContent = error.message;
    return false;
  }
  await load(focused);
  return true;
}

// Rules on the chosen songs, or else on the one that has the focus.
async function rule(status) {
  const songs = shown();
  const items = [...at("queue").children];
  const here = items.indexOf(document.activeElement.closest?.("[data-song]"));
  const mine = chosen.size ? songs.filter((song) => chosen.has(song.song)) : here < 0 ? [] : [songs[here]];
  const numbers = mine.flatMap((song) => song.opinions.map((opinion) => opinion.id));
  const label = status === "relabelled" ? at("label").value.trim() : undefined;
  if (!numbers.length || label === "") return;
  const done = await act("/moderate/rulings", { corrections: numbers, status, label }, here < 0 ? null : here);
  if (!done) return;
  undoable = numbers;
  at("undo").disabled = false;
}

async function undo() {
  if (!undoable.length) return;
  if (await act("/moderate/rulings", { corrections: undoable, status: "pending" }, 0)) {
    undoable = [];
    at("undo").disabled = true;
  }
}

for (const button of document.querySelectorAll("[data-rule]")) {
  button.addEventListener("click", () => rule(button.dataset.rule));
}
at("undo").addEventListener("click", undo);
at("roll-back").addEventListener("click", () => act("/moderate/releases", {}));
at("filter").addEventListener("input", () => showQueue());
at("all").addEventListener("change", () => load());
at("genre").addEventListener("change", showChart);
at("select-shown").addEventListener("click", () => {
  for (const song of shown()) chosen.add(song.song);
  showQueue();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select")) return;
  const items = [...at("queue").children];
  const here = items.indexOf(document.activeElement.closest?.("[data-song]"));
  const key = event.key.toLowerCase();
  if (key === "j" && here < items.length - 1) move(items, here + 1);
  else if (key === "k" && here > 0) move(items, here - 1);
  else if (key === "a") rule("accepted");
  else if (key === "r") rule("rejected");
  else if (key === "u") undo();
  else if (key === "x" && here >= 0) items[here].querySelector("input").click();
  else return;
  event.preventDefault();
});

load();
