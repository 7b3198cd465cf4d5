// One song on the page: what was sent, how far it is, the answer, what its sender said of that. Draws what the server
// says and has no words of its own; the nodes of an entry stay while only its progress changes, so that focus stays too.

import { newCollection, showCollection } from "./collections.js";
import { chooseGenre } from "./genres.js";
import { ask } from "./server.js";

// Progress is read out now and then, so that it does not drown everything else.
const PROGRESS_PAUSE = 5000;

const copy = (name) => document.getElementById(name).content.cloneNode(true);

export class Entries {
  constructor(list, announce, onQuestion, onAgain) {
    this.list = list;
    this.announce = announce;
    this.onQuestion = onQuestion;
    this.onAgain = onAgain;
    this.shown = new Map();
    this.progressTold = -PROGRESS_PAUSE;
  }

  // A song that is just being sent: it has no number yet.
  add(title, folder = false) {
    const node = copy("entry").firstElementChild;
    node.querySelector(".title").textContent = title || document.getElementById("untitled").content.textContent;
    node.querySelector(".reply").append(folder ? newCollection(node) : copy("progress"));
    node.querySelector(".stop").hidden = true;
    this.list.append(node);
    node.scrollIntoView({ block: "end" });
    return {
      share: (share) => (node.querySelector("progress").value = share),
      becomes: (entry) => {
        // News of it may have come before the answer to its sending; its place is where it was sent from.
        const known = this.shown.get(entry.id)?.node;
        if (known !== undefined && known !== node) node.replaceWith(known);
        else if (known === undefined) this.shown.set(entry.id, { node, entry: null });
        this.show(entry);
      },
      fails: (text) => {
        node.querySelector(".reply").replaceChildren(sentence(text));
        this.announce(text);
      },
    };
  }

  show(entry, quiet = false) {
    let shown = this.shown.get(entry.id);
    if (shown === undefined) {
      const node = copy("entry").firstElementChild;
      this.list.append(node);
      shown = { node, entry: null };
      this.shown.set(entry.id, shown);
    }
    const before = shown.entry;
    // News and answers overtake each other; the latest look at the song counts.
    if (before !== null && before.seen >= entry.seen) return;
    shown.entry = entry;
    const { node } = shown;
    node.dataset.id = entry.id;
    node.dataset.state = entry.state;
    node.querySelector(".title").textContent =
      entry.title || document.getElementById("untitled").content.textContent;
    if (entry.audio !== null && !node.querySelector("audio")) {
      const player = copy("player");
      player.firstElementChild.src = entry.audio;
      player.firstElementChild.setAttribute("aria-label", entry.title);
      node.querySelector(".you").append(player);
    }
    if (entry.state === "collection") {
      showCollection(node, entry, before, { quiet, owner: this });
    } else if (entry.state === "waiting") this.showProgress(node, entry);
    else if (before?.state !== entry.state) this.showEnd(node, entry, quiet);
    if (entry.state === "answered") this.showOpinion(node, entry, before);
  }

  showProgress(node, entry) {
    const reply = node.querySelector(".reply");
    if (!reply.querySelector("progress")) reply.replaceChildren(copy("progress"));
    const stop = reply.querySelector(".stop");
    stop.hidden = false;
    stop.onclick = () => this.change("DELETE", `songs/${entry.id}`);
    const bar = reply.querySelector("progress");
    bar.value = entry.progress.share;
    bar.setAttribute("aria-label", entry.progress.text);
    reply.querySelector(".stage").textContent = entry.progress.text;
    this.tellProgress(entry.progress.text);
  }

  tellProgress(text) {
    if (performance.now() - this.progressTold < PROGRESS_PAUSE) return;
    this.progressTold = performance.now();
    this.announce(text);
  }

  showEnd(node, entry, quiet) {
    const reply = node.querySelector(".reply");
    const hadFocus = reply.contains(document.activeElement);
    if (entry.state === "answered") reply.replaceChildren(this.answer(entry));
    else if (entry.state === "asking") reply.replaceChildren(this.question(entry));
    else reply.replaceChildren(sentence(entry.text));
    if (hadFocus) reply.querySelector("[tabindex]")?.focus();
    if (quiet) return;
    this.announce(entry.headline ?? entry.text);
    node.scrollIntoView({ block: "nearest" });
  }

  // A link that leads to many songs: how many of them?
  question(entry) {
    const node = copy("choices");
    node.querySelector("p").textContent = entry.text;
    const buttons = entry.choices.map(({ count, text }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.dataset.count = count;
      button.textContent = text;
      button.onclick = () => this.change("POST", `songs/${entry.id}/list`, { count });
      return button;
    });
    node.querySelector(".buttons").append(...buttons);
    return node;
  }

  answer(entry) {
    const node = copy("answer");
    node.querySelector(".headline").textContent = entry.headline;
    node.querySelector(".lines").append(...[...entry.details, entry.length].map(paragraph));
    node.querySelector("source").srcset = entry.picture.dark;
    const image = node.querySelector("img");
    image.src = entry.picture.light;
    image.alt = entry.picture.alt;
    node.querySelector("tbody").append(...entry.segments.map(row));
    node.querySelector(".model").textContent = entry.model;
    node.querySelector("[data-key=right]").onclick = () => this.change("POST", `songs/${entry.id}/opinion`, {}, "change");
    // What is not music has no genre to agree with.
    node.querySelector("[data-key=right]").hidden = entry.kind !== "music";
    const wrong = node.querySelector("[data-key=wrong]");
    wrong.textContent = entry.wrong;
    wrong.onclick = () => this.openChoice(entry.id, wrong);
    return node;
  }

  showOpinion(node, entry, before) {
    if (before && JSON.stringify(before.opinion) === JSON.stringify(entry.opinion)) return;
    node.querySelector(".opinion").hidden = entry.opinion !== null;
    const after = node.querySelector(".after");
    if (entry.opinion === null) {
      after.replaceChildren();
      return;
    }
    const opinion = copy("opinion");
    opinion.querySelector(".said").textContent = entry.opinion.said;
    opinion.querySelector(".thanks").textContent = entry.opinion.thanks;
    const change = opinion.querySelector("[data-key=change]");
    change.onclick = () => this.openChoice(entry.id, change);
    opinion.querySelector("[data-key=undo]").onclick = () =>
      this.change("DELETE", `songs/${entry.id}/opinion`, undefined, "right");
    after.replaceChildren(opinion);
  }

  openChoice(id, button) {
    const { node } = this.shown.get(id);
    const after = node.querySelector(".after");
    const close = () => {
      choice.form.remove();
      button.setAttribute("aria-expanded", "false");
      button.focus();
    };
    if (after.querySelector("form")) return after.querySelector("input").focus();
    const choice = chooseGenre(
      this.announce,
      (genre) => this.change("POST", `songs/${id}/opinion`, { genre }, "change"),
      close,
    );
    after.append(choice.form);
    button.setAttribute("aria-expanded", "true");
    choice.begin();
    choice.form.scrollIntoView({ block: "nearest" });
  }

  // Changes a song on the server and shows what came of it; returns null, or the sentence that says why not.
  async change(method, path, body, focusKey) {
    let answer;
    try {
      answer = await ask(method, path, body);
    } catch (refused) {
      this.announce(refused.message);
      return refused.message;
    }
    this.show(answer.entry);
    for (const song of answer.songs ?? []) this.show(song);
    const { node } = this.shown.get(answer.entry.id);
    node.querySelector(".after form")?.remove();
    if (focusKey) node.querySelector(`[data-key=${focusKey}]`)?.focus();
    this.announce(answer.notice ?? answer.entry.opinion?.thanks ?? answer.entry.text ?? "");
    if (answer.question) this.onQuestion(answer.question);
    return null;
  }
}

function sentence(text) {
  const node = copy("sentence");
  node.firstElementChild.textContent = text;
  return node;
}

export function paragraph(text) {
  const node = document.createElement("p");
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
