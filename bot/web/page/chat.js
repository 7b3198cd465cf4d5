// The page: songs dropped, chosen, pasted or tried; language; privacy. How a song is shown is entries.js.

import { Entries, paragraph } from "./entries.js";
import { foldersOf, listed, sendFolder } from "./folders.js";
import { ask, listen, send } from "./server.js";

const find = (id) => document.getElementById(id);

function announce(text) {
  // The same sentence twice is read twice only if the text changes in between.
  find("announcer").textContent = "";
  setTimeout(() => (find("announcer").textContent = text), 50);
}

const entries = new Entries(find("entries"), announce, askConsent, () => find("choose-folder").click());

// Songs

// One after the other, so that they queue in the order in which they were chosen.
let sending = Promise.resolve();

function take(files) {
  for (const file of files) {
    const entry = entries.add(file.name);
    sending = sending.then(() => send(file, entry.share)).then(entry.becomes, (refused) => entry.fails(refused.message));
  }
}

find("choose").addEventListener("change", (event) => {
  take(event.target.files);
  event.target.value = "";
});

// Folders

let organising = Promise.resolve();

function takeFolder(folder) {
  const entry = entries.add(folder.name, true);
  organising = organising.then(() => sendFolder(folder, entry));
}

find("choose-folder").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  if (files.length > 0) takeFolder(listed(files));
});

for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    const entry = entries.add(button.textContent);
    ask("POST", `examples/${encodeURIComponent(button.dataset.example)}`).then(entry.becomes, (refused) =>
      entry.fails(refused.message),
    );
  });
}

function takeLink(link) {
  const entry = entries.add(link);
  ask("POST", "links", { link }).then(entry.becomes, (refused) => entry.fails(refused.message));
}

document.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text").trim();
  if (event.clipboardData.files.length > 0) {
    event.preventDefault();
    take(event.clipboardData.files);
  } else if (/^https?:\/\/\S+$/i.test(text) && !event.target.closest?.("input, textarea, dialog")) {
    event.preventDefault();
    takeLink(text);
  }
});

let inside = 0;
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const veil = (on) => (find("veil").hidden = !on);
document.addEventListener("dragenter", (event) => carriesFiles(event) && veil(++inside > 0));
document.addEventListener("dragleave", (event) => carriesFiles(event) && veil(--inside > 0));
document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  inside = 0;
  veil(false);
  // What was dropped can be looked at only now, before anything is waited for.
  const { folders, files } = foldersOf(event.dataTransfer);
  take(files);
  folders.forEach(takeFolder);
});

// What was said so far, now and whenever the connection comes back

async function remember(quiet) {
  const past = await ask("POST", "hello").catch(() => null);
  if (past === null) return false;
  for (const entry of past.entries) entries.show(entry, quiet);
  if (past.question !== null) askConsent(past.question);
  return true;
}

async function begin() {
  while (!(await remember(true))) {
    find("lost").hidden = false;
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  window.scrollTo(0, document.body.scrollHeight);
  document.body.dataset.ready = "true";
  listen(
    (entry) => entries.show(entry),
    () => {
      find("lost").hidden = true;
      remember(false);
    },
    () => (find("lost").hidden = false),
  );
}

// May the bot learn from this?

function askConsent(text) {
  if (find("consent-question")) return;
  const question = find("consent").content.cloneNode(true);
  question.querySelector(".question-text").textContent = text;
  for (const [key, allow] of [["allow", true], ["refuse", false]]) {
    question.querySelector(`[data-key=${key}]`).onclick = () => answerConsent(allow);
  }
  find("afterwards").replaceChildren(question);
  find("consent-question").scrollIntoView({ block: "nearest" });
}

async function answerConsent(allow) {
  const answer = await ask("POST", "consent", { allow }).catch((refused) => ({ notice: refused.message }));
  const notice = paragraph(answer.notice);
  notice.className = "bubble bot";
  notice.tabIndex = -1;
  find("afterwards").replaceChildren(notice);
  notice.focus();
}

// Privacy

const privacy = find("privacy");

async function showPrivacy() {
  const said = await ask("GET", "privacy").catch((refused) => ({ text: refused.message }));
  find("privacy-text").replaceChildren(...said.text.split("\n\n").map(paragraph));
  const consent = find("privacy-consent");
  consent.hidden = said.change === undefined;
  consent.textContent = said.change ?? "";
  consent.onclick = async () => {
    const answer = await ask("POST", "consent", { allow: !said.allowed }).catch((refused) => ({ notice: refused.message }));
    find("consent-question")?.remove();
    await showPrivacy();
    find("privacy-notice").textContent = answer.notice;
  };
}

find("open-privacy").addEventListener("click", async () => {
  find("forget-question").hidden = true;
  find("privacy-notice").textContent = "";
  await showPrivacy();
  privacy.showModal();
});
find("privacy-forget").addEventListener("click", () => {
  find("forget-question").hidden = false;
  find("forget-question").querySelector("p").focus();
  find("forget-question").scrollIntoView({ block: "nearest" });
});
find("forget-keep").addEventListener("click", () => {
  find("forget-question").hidden = true;
  find("privacy-forget").focus();
});
find("forget-confirm").addEventListener("click", async () => {
  const answer = await ask("POST", "forget").catch((refused) => ({ notice: refused.message }));
  find("forget-question").hidden = true;
  find("privacy-notice").textContent = answer.notice;
  // Nothing of the old conversation may stay on the screen.
  privacy.addEventListener("close", () => location.reload(), { once: true });
});

// Language

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", async () => {
    await sending;
    await ask("POST", "language", { language: button.dataset.language }).catch(() => null);
    location.reload();
  });
}

begin();
