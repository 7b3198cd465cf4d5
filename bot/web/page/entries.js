// The songs on the page: what was sent, how far it is, the answer, what its sender said of that. Draws what the server
// says and has no words of its own; the nodes of an entry stay while only its progress changes, so that focus stays too.

import { answerNode, showOpinion } from "./answer.js";
import { newCollection, showCollection } from "./collections.js";
import { fillRow } from "./rows.js";
import { ask, askFrom, tellBeside } from "./server.js";

// Progress is read out now and then, so that it does not drown everything else.
const PROGRESS_PAUSE = 5000;
// More songs than these are shown as rows that open on demand.
const MOST_OPEN = 3;
const ENDED = new Set(["answered", "failed", "stopped"]);

const copy = (name) => document.getElementById(name).content.cloneNode(true);

export class Entries {
  constructor(list, view, hooks) {
    this.list = list;
    this.view = view;
    this.announce = hooks.announce;
    this.onQuestion = hooks.onQuestion;
    this.onAgain = hooks.onAgain;
    this.onChange = hooks.onChange;
    this.onRemove = hooks.onRemove;
    this.shown = new Map();
    this.again = new Map();
    this.progressTold = -PROGRESS_PAUSE;
  }

  // A song that is about to be sent: it has no number yet. One that is sent alone opens when it is answered.
  add(title, { folder = false, alone = true, first = true } = {}) {
    const node = this.newNode();
    node.querySelector(".title").textContent = title || document.getElementById("untitled").content.textContent;
    node.querySelector(".reply").append(folder ? newCollection(node) : copy("progress"));
    node.querySelector(".stop").hidden = true;
    node.dataset.alone = alone;
    this.arrange();
    if (first) this.view.follow(node, alone);
    if (!alone) this.closeShown();
    const handle = {
      share: (share) => (node.querySelector("progress").value = share),
      waits: (name) => this.pending(node, name),
      onStop: (act) => {
        node.querySelector(".stop").hidden = false;
        node.querySelector(".stop").onclick = act;
      },
      becomes: (entry, again) => {
        if (again) this.again.set(entry.id, again);
        // News of it may have come before the answer to its sending; its place is where it was sent from.
        const known = this.shown.get(entry.id)?.node;
        if (known !== undefined && known !== node) {
          known.dataset.alone = node.dataset.alone;
          // It may even have been answered, and opened as if it had been sent alone.
          if (node.dataset.alone === "false" && "shownAlone" in known.dataset) this.open(known, false);
          node.replaceWith(known);
        } else if (known === undefined) this.shown.set(entry.id, { node, entry: null });
        this.show(entry);
      },
      fails: (text, again) => {
        node.dataset.state = "unsent";
        node.querySelector(".reply").replaceChildren(sentence(text), ...this.tryAgain(again));
        this.announce(text);
        this.arrange();
      },
      restarts: () => {
        this.forget(node);
        node.querySelector(".reply").replaceChildren(copy("progress"));
        return handle;
      },
    };
    return handle;
  }

  newNode() {
    const node = copy("entry").firstElementChild;
    node.querySelector(".row").onclick = () => this.open(node, !("open" in node.dataset));
    this.list.append(node);
    return node;
  }

  // Says how far a song is that the server does not know yet, by the name of the sentence.
  pending(node, name) {
    const text = document.getElementById(name).content.textContent;
    node.dataset.state = "unsent";
    node.dataset.stage = name;
    node.querySelector(".stage").textContent = text;
    node.querySelector("progress").setAttribute("aria-label", text);
  }

  // Says the same in the page's language after that has changed; the server does so for the songs that it knows.
  reword() {
    const label = (name, selector) => copy(name).querySelector(selector).textContent;
    for (const node of this.list.querySelectorAll(".entry:not([data-id])")) {
      if (node.querySelector(".stage") && node.dataset.stage) this.pending(node, node.dataset.stage);
      for (const button of node.querySelectorAll(".stop")) button.textContent = label("progress", ".stop");
      for (const button of node.querySelectorAll("[data-key=again]")) button.textContent = label("try-again", "button");
    }
  }

  tryAgain(again) {
    if (!again) return [];
    const node = copy("try-again");
    node.querySelector("button").onclick = again;
    return [node];
  }

  show(entry, quiet = false, anew = false) {
    let shown = this.shown.get(entry.id);
    if (shown === undefined) {
      shown = { node: this.newNode(), entry: null };
      this.shown.set(entry.id, shown);
    }
    const before = anew ? null : shown.entry;
    // News and answers overtake each other; the latest look at the song counts.
    if (before !== null && before.seen >= entry.seen) return;
    shown.entry = entry;
    const { node } = shown;
    node.dataset.id = entry.id;
    node.dataset.state = entry.state;
    node.querySelector(".title").textContent = entry.title || document.getElementById("untitled").content.textContent;
    fillRow(node, entry);
    if (entry.state === "collection") {
      showCollection(node, entry, before, { quiet, owner: this });
    } else if (entry.state === "waiting") this.showProgress(node, entry);
    else if (before?.state !== entry.state) this.showEnd(node, entry, quiet);
    if (entry.state === "answered") showOpinion(this, node, entry, before);
    this.arrange();
    if (!ENDED.has(entry.state) || before?.state === entry.state) return;
    document.dispatchEvent(new Event("song-ended"));
    this.onChange();
  }

  showProgress(node, entry) {
    const reply = node.querySelector(".reply");
    if (!reply.querySelector("progress")) reply.replaceChildren(copy("progress"));
    const stop = reply.querySelector(".stop");
    stop.hidden = false;
    stop.onclick = () => this.change(stop, "DELETE", `songs/${entry.id}`);
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
    if (entry.state === "answered") reply.replaceChildren(answerNode(this, entry));
    else if (entry.state === "asking") reply.replaceChildren(this.question(entry));
    else reply.replaceChildren(sentence(entry.text), ...this.tryAgain(this.again.get(entry.id)));
    if (hadFocus) reply.querySelector("[tabindex]")?.focus();
    if (quiet) return;
    this.announce(entry.headline ?? entry.text);
    const alone = node.dataset.alone !== "false" || entry.state === "asking";
    if (alone) this.openOnly(node);
    this.view.arrived(node, alone);
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
      button.onclick = () => this.change(button, "POST", `songs/${entry.id}/list`, { count });
      return button;
    });
    node.querySelector(".buttons").append(...buttons);
    return node;
  }

  // Rows

  arrange() {
    this.list.classList.toggle("compact", this.list.children.length > MOST_OPEN);
  }

  open(node, isOpen) {
    delete node.dataset.shownAlone;
    node.toggleAttribute("data-open", isOpen);
    node.querySelector(".row").setAttribute("aria-expanded", String(isOpen));
  }

  // Opens a song that has just been answered, and closes the one that was opened so before.
  openOnly(node) {
    this.closeShown();
    this.open(node, true);
    node.dataset.shownAlone = "";
  }

  closeShown() {
    for (const other of this.list.querySelectorAll("[data-shown-alone]")) this.open(other, false);
  }

  // Changes a song on the server and shows what came of it; returns null, or the sentence that says why not.
  async change(button, method, path, body, focusKey) {
    if (button.getAttribute("aria-disabled") === "true") return null;
    button.setAttribute("aria-disabled", "true");
    let answer;
    try {
      answer = await askFrom(button, method, path, body);
    } catch (refused) {
      this.announce(refused.message);
      if (button.isConnected) tellBeside(button.closest(".buttons, form, .progress") ?? button, refused.message);
      return refused.message;
    } finally {
      button.removeAttribute("aria-disabled");
    }
    if (answer.entry === null) return null;
    this.show(answer.entry);
    for (const song of answer.songs ?? []) this.show(song);
    const { node } = this.shown.get(answer.entry.id);
    node.querySelector(".after form")?.remove();
    if (focusKey) node.querySelector(`[data-key=${focusKey}]`)?.focus();
    this.announce(answer.notice ?? answer.entry.opinion?.thanks ?? answer.entry.text ?? "");
    if (answer.question) this.onQuestion(answer.question, node.querySelector(".after"));
    this.onChange();
    return null;
  }

  // A song that is sent again takes the place of the one that failed.
  forget(node) {
    for (const [id, shown] of this.shown) {
      if (shown.node !== node) continue;
      this.shown.delete(id);
      ask("DELETE", `history/${id}`).catch(() => null);
    }
    delete node.dataset.id;
  }

  // Forgets a song that the server no longer has.
  remove(id) {
    this.shown.get(id)?.node.remove();
    this.shown.delete(id);
    this.again.delete(id);
    this.arrange();
    this.onChange();
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
