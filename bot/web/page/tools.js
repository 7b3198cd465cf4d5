// What helps with many songs: a summary, search, a filter by genre, files to download, the statistics as a picture.

const template = () => document.getElementById("tools-template").content;
const fill = (text, count) => text.replace("%n", count);

let query = "";
let genre = null;
let place = null;
let entries = null;
let redraw = 0;

export function draw(node, all) {
  [place, entries] = [node, all];
  const language = document.documentElement.lang;
  if (place.dataset.language !== language) build(language);
  // Thirty answers in a row are counted once.
  cancelAnimationFrame(redraw);
  redraw = requestAnimationFrame(update);
}

function build(language) {
  place.dataset.language = language;
  place.replaceChildren(template().cloneNode(true));
  for (const link of place.querySelectorAll("a[data-path]")) link.href = `${link.dataset.path}?language=${language}`;
  const search = place.querySelector("input");
  search.value = query;
  search.oninput = () => {
    query = search.value;
    update();
  };
  const statistics = place.querySelector("details");
  statistics.ontoggle = () => statistics.open && showStatistics(statistics, language);
}

function showStatistics(node, language) {
  const path = (theme) => `history/statistics-${theme}.png?language=${language}&at=${Date.now()}`;
  node.querySelector("source").srcset = path("dark");
  node.querySelector("img").src = path("light");
  node.querySelector(".save").href = `${path("light")}&save=1`;
}

const songs = () => [...entries.shown.values()].filter(({ entry }) => entry && entry.state !== "collection");
const genreOf = (entry) => entry.opinion?.name ?? entry.genre;
const plain = (text) => text.normalize("NFD").replace(/\p{Mn}/gu, "").replaceAll("đ", "d").replaceAll("Đ", "D").toLowerCase();

function matches(entry) {
  if (genre !== null && (entry.state !== "answered" || genreOf(entry) !== genre)) return false;
  if (query.trim() === "") return true;
  const text = [entry.title, entry.headline, entry.genre, entry.opinion?.name, ...(entry.tags ?? [])].join(" ");
  return plain(query).trim().split(/\s+/).every((word) => plain(text).includes(word));
}

function update() {
  const all = songs();
  place.hidden = all.length <= 3;
  const counts = new Map();
  for (const { entry } of all) {
    if (entry.state === "answered") counts.set(genreOf(entry), (counts.get(genreOf(entry)) ?? 0) + 1);
  }
  if (!counts.has(genre)) genre = null;
  const { dataset } = place.querySelector(".summary");
  const states = (...names) => all.filter(({ entry }) => names.includes(entry.state)).length;
  const answered = states("answered");
  const parts = [answered === 1 ? dataset.one : fill(dataset.many, answered)];
  if (states("waiting", "asking") > 0) parts.push(fill(dataset.waiting, states("waiting", "asking")));
  if (states("failed", "stopped") > 0) parts.push(fill(dataset.failed, states("failed", "stopped")));
  place.querySelector(".summary").textContent = parts.join(" · ");
  showGenres([...counts].sort((a, b) => b[1] - a[1]), answered);
  let found = 0;
  for (const { node, entry } of all) {
    node.hidden = !matches(entry);
    found += !node.hidden;
  }
  place.querySelector(".none").hidden = found > 0;
  place.querySelector(".downloads").hidden = answered === 0;
}

function showGenres(counts, answered) {
  const list = place.querySelector(".chips");
  const all = [[null, answered], ...counts];
  const buttons = all.map(([name, count]) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.genre = name ?? "";
    button.setAttribute("aria-pressed", String(name === genre));
    button.textContent = `${name ?? list.dataset.all} ${count}`;
    button.onclick = () => {
      genre = name;
      update();
      list.querySelector("[aria-pressed=true]")?.focus();
    };
    item.append(button);
    return item;
  });
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.genre : null;
  list.replaceChildren(...buttons);
  if (focused !== null) [...list.querySelectorAll("button")].find(({ dataset }) => dataset.genre === focused)?.focus();
}
