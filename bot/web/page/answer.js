// A song's answer and what its sender said of it.

import { chooseGenre } from "./genres.js";
import { fileOf } from "./outbox.js";
import { addPlayer } from "./player.js";
import { ask } from "./server.js";

const copy = (name) => document.getElementById(name).content.cloneNode(true);

export function answerNode(owner, entry) {
  const node = copy("answer").firstElementChild;
  const part = (name) => node.querySelector(name);
  part(".headline").textContent = entry.headline;
  part(".about").textContent = entry.about;
  part(".lines").append(...[...entry.details, entry.length].map(paragraph));
  part("source").srcset = entry.picture.dark;
  const image = part("img");
  image.width = entry.picture.width;
  image.height = entry.picture.height;
  image.src = entry.picture.light;
  image.alt = entry.picture.alt;
  part("tbody").append(...entry.segments.map(row));
  part(".model").textContent = entry.model;
  part(".experts").replaceChildren(...entry.experts.map(paragraph));
  part(".silent").hidden = entry.silent_experts.length === 0;
  part(".silent ul").replaceChildren(...entry.silent_experts.map(item));
  part(".why").replaceChildren(...entry.why.map(paragraph));
  part("[data-key=right]").onclick = (event) => give(owner, event.currentTarget, entry.id, {});
  // What is not music has no genre to agree with; of an unsure answer, each genre that was named can be chosen.
  part("[data-key=right]").hidden = entry.kind !== "music" || entry.choices.length > 0;
  part("[data-key=right]").before(...entry.choices.map((choice) => choiceButton(owner, entry.id, choice)));
  const wrong = part("[data-key=wrong]");
  wrong.textContent = entry.wrong;
  wrong.onclick = () => openChoice(owner, entry.id, wrong);
  part(".save").href = `${entry.picture.light}&save=1`;
  part(".copy").onclick = () => copyText(owner, part(".copy"), entry);
  part(".remove").onclick = (event) => owner.onRemove(event.currentTarget, entry);
  part("[data-key=why]").parentElement.ontoggle = (event) => event.target.open && addClosest(part(".closest"), entry.id);
  addTag(part(".tag"), entry.id);
  addPlayer(node, entry);
  return node;
}

async function addClosest(place, id) {
  const found = await ask("GET", `history/${id}/closest`).catch(() => ({ text: null }));
  place.textContent = found.text ?? "";
}

// What the file's own tag says, as long as the file is here.
async function addTag(place, id) {
  const file = fileOf(id);
  if (file === null) return;
  const { genreTag } = await import("./tag.js");
  const tag = await genreTag(file).catch(() => null);
  if (tag === null) return;
  const found = await ask("GET", `history/${id}/tag?text=${encodeURIComponent(tag)}`).catch(() => ({ text: null }));
  place.textContent = found.text ?? "";
}

const give = (owner, button, id, body) => owner.change(button, "POST", `songs/${id}/opinion`, body, "change");

function choiceButton(owner, id, { label, text }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.dataset.key = "choice";
  button.textContent = text;
  button.onclick = () => give(owner, button, id, { genre: label });
  return button;
}

async function copyText(owner, button, entry) {
  const lines = [entry.title, entry.headline, ...entry.details, ...entry.segments.map(line)];
  const [done, failed] = [button.dataset.done, button.dataset.failed];
  const text = await navigator.clipboard.writeText(lines.filter(Boolean).join("\n")).then(
    () => done,
    () => failed,
  );
  owner.announce(text);
  button.textContent = text;
}

const line = ({ time, genre, confidence }) => `${time}  ${genre} ${confidence}`.trim();

export function showOpinion(owner, node, entry, before) {
  if (before && JSON.stringify(before.opinion) === JSON.stringify(entry.opinion)) return;
  node.querySelector(".opinion").hidden = entry.opinion !== null;
  const place = node.querySelector(".given");
  if (entry.opinion === null) {
    place.replaceChildren();
    return;
  }
  const opinion = copy("opinion");
  opinion.querySelector(".said").textContent = entry.opinion.said;
  opinion.querySelector(".thanks").textContent = entry.opinion.thanks;
  const change = opinion.querySelector("[data-key=change]");
  change.onclick = () => openChoice(owner, entry.id, change);
  const undo = opinion.querySelector("[data-key=undo]");
  undo.onclick = async () => {
    await owner.change(undo, "DELETE", `songs/${entry.id}/opinion`);
    [...node.querySelectorAll(".opinion button")].find((button) => button.checkVisibility())?.focus();
  };
  place.replaceChildren(opinion);
}

function openChoice(owner, id, button) {
  const { node } = owner.shown.get(id);
  const after = node.querySelector(".after");
  const close = () => {
    choice.form.remove();
    button.setAttribute("aria-expanded", "false");
    button.focus();
  };
  if (after.querySelector("form")) return after.querySelector("input").focus();
  const choice = chooseGenre(
    id,
    owner.announce,
    (opinion, pressed) => give(owner, pressed, id, opinion),
    close,
  );
  after.append(choice.form);
  button.setAttribute("aria-expanded", "true");
  choice.begin();
  choice.form.scrollIntoView({ block: "nearest" });
}

function paragraph(text) {
  const node = document.createElement("p");
  node.textContent = text;
  return node;
}

function item(text) {
  const node = document.createElement("li");
  node.textContent = text;
  return node;
}

function row(segment) {
  const node = document.createElement("tr");
  const time = document.createElement("th");
  time.scope = "row";
  time.textContent = segment.time;
  const cells = [segment.genre, segment.confidence, segment.runner_up, segment.votes].map((text) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    return cell;
  });
  node.append(time, ...cells);
  return node;
}
