
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 6;
// Colours repeat after six genres; the shape then changes, so that any two genres look different.
const SHAPES = [
  "M0-7a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
  "M0-8.5L8.5 0L0 8.5L-8.5 0z",
  "M-6.2-6.2H6.2V6.2H-6.2z",
  "M0-8L8 6H-8z",
];
const SONGS_PER_PAGE = 500;
const FULL_SIZE_MAP_PIXELS = 700;
const selected = new Set();
const marks = [];
const element = (id) => document.getElementById(id);

function text(name, values) {
  return data.texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function make(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

function draw(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function colourClass(group) {
  return data.groups[group].sure ? `ink${group % COLOURS}` : "unsure hollow";
}

function mark(group) {
  const shape = data.groups[group].sure ? Math.floor(group / COLOURS) % SHAPES.length : 0;
  return draw("path", { d: SHAPES[shape], class: `mark ${colourClass(group)}` });
}

function badge(group) {
  const svg = draw("svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" });
  svg.append(mark(group));
  return svg;
}

function percent(song) {
  return `${Math.round(100 * song.confidence)} %`;
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function answerText(song) {
  if (data.groups[song.group].sure) return `${song.genre}, ${percent(song)}`;
  const values = { genre: song.genre, percent: percent(song), second: song.second };
  return text(song.second ? "notSureOr" : "notSure", values);
}

function play(number) {
  const song = data.songs[number];
  if (song.link === null) return;
  element("player").hidden = false;
  element("playing").textContent = song.title;
  element("playing").title = song.path;
  const audio = element("audio");
  audio.src = song.link;
  audio.play().catch((error) => {
    if (error.name !== "AbortError") element("playing").textContent = text("cannotPlay", song);
  });
  marks.forEach((node, place) => node.classList.toggle("playing", place === number));
}

function name(number, ...under) {
  const song = data.songs[number];
  const button = make(song.link === null ? "div" : "button", "name", badge(song.group));
  if (song.link !== null) button.type = "button";
  const small = make("small", "", [song.path, ...under].join(" · "));
  button.append(make("span", "", song.title, small));
  button.addEventListener("click", () => play(number));
  return button;
}

function showHead() {
  const songs = data.songs.length;
  const unsure = data.groups.filter((group) => !group.sure).reduce((sum, group) => sum + group.count, 0);
  element("heading").textContent = data.folder;
  element("summary").textContent = text(songs === 1 ? "summaryOne" : "summary", { songs, unsure, release: data.release });
}

function showGenres() {
  const most = Math.max(...data.groups.map((group) => group.count));
  data.groups.forEach((group, number) => {
    const bar = make("span", "bar");
    const svg = draw("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(draw("rect", { width: (100 * group.count) / most, height: 1, class: colourClass(number), fill: "currentColor" }));
    bar.append(svg);
    const share = Math.round((100 * group.count) / data.songs.length);
    const button = make("button", "", badge(number), make("span", "", group.title), bar);
    button.append(make("span", "count", `${group.count} · ${share} %`));
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      if (!selected.delete(number)) selected.add(number);
      button.setAttribute("aria-pressed", String(selected.has(number)));
      fade();
    });
    element("genres").append(make("li", "", button));
  });
}

function fade() {
  data.songs.forEach((song, number) => {
    marks[number].classList.toggle("faded", selected.size > 0 && !selected.has(song.group));
  });
}

function showMap() {
  const map = element("map");
  // The map shrinks with the window; its marks must stay large enough to tap.
  const size = Math.min(2.5, Math.max(1, FULL_SIZE_MAP_PIXELS / map.clientWidth)).toFixed(2);
  data.songs.forEach((song, number) => {
    const node = mark(song.group);
    const place = `${(song.x * 1000).toFixed(1)} ${(600 - song.y * 600).toFixed(1)}`;
    node.setAttribute("transform", `translate(${place}) scale(${size})`);
    node.dataset.song = number;
    marks.push(node);
    map.append(node);
  });
  const songAt = (event) => event.target.dataset?.song;
  map.classList.toggle("silent", data.songs.every((song) => song.link === null));
  map.addEventListener("click", (event) => songAt(event) !== undefined && play(Number(songAt(event))));
  map.addEventListener("pointerover", (event) => showTip(songAt(event), event));
  map.addEventListener("pointerleave", () => showTip(undefined));
}

function showTip(number, event) {
  const tip = element("tip");
  tip.hidden = number === undefined;
  if (tip.hidden) return;
  const song = data.songs[number];
  tip.replaceChildren(make("strong", "", song.title), `${answerText(song)} · ${clock(song.seconds)}`);
  const frame = element("map-frame").getBoundingClientRect();
  const across = event.clientX - frame.left;
  const down = event.clientY - frame.top;
  const left = across + 16 + tip.offsetWidth > frame.width ? across - 16 - tip.offsetWidth : across + 16;
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${Math.max(0, Math.min(down + 12, frame.height - tip.offsetHeight))}px`;
}

function row(...cells) {
  const node = document.createElement("tr");
  node.append(...cells.map((cell) => make("td", "", cell)));
  return node;
}

function showRows(id, rows) {
  element(id).hidden = rows.length === 0;
  element(id).querySelector("tbody").append(...rows);
}

function showGroups(id, groups) {
  element(id).hidden = groups.length === 0;
  element(id)
    .querySelector(".groups")
    .append(...groups.map((group) => make("div", "group", ...group.map((number) => name(number, answerText(data.songs[number]))))));
}

function showAll() {
  const byGroup = data.groups.map(() => []);
  data.songs.forEach((song, number) => byGroup[song.group].push(number));
  byGroup.forEach((numbers, group) => {
    const list = make("div");
    const count = make("span", "", ` · ${numbers.length}`);
    const details = make("details", "", make("summary", "", data.groups[group].title, count), list);
    let shown = 0;
    const more = make("button", "name", data.texts.more);
    more.type = "button";
    const extend = () => {
      more.remove();
      list.append(...numbers.slice(shown, shown + SONGS_PER_PAGE).map((number) => name(number, answerText(data.songs[number]))));
      shown += SONGS_PER_PAGE;
      if (shown < numbers.length) list.append(more);
    };
    more.addEventListener("click", extend);
    // The list is built when it is first opened, because a collection may have ten thousand songs.
    details.addEventListener("toggle", () => shown === 0 && extend());
    element("all").append(details);
  });
}

showHead();
showGenres();
showMap();
showRows(
  "disagreements",
  data.disagreements.map((number) => {
    const song = data.songs[number];
    return row(name(number), song.tag, `${song.genre}, ${percent(song)}`);
  }),
);
showGroups("near", data.near);
showGroups("copies", data.copies);
showRows("failures", data.failures.map(([path, why]) => row(path, why)));
showAll();
