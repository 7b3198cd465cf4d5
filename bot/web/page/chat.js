// The page: songs dropped, chosen, pasted, recorded or tried; links; language. How a song is shown is entries.js.

import { Entries } from "./entries.js";
import { foldersOf, listed, sendFolder } from "./folders.js";
import { changeLanguage } from "./language.js";
import { linkIn } from "./links.js";
import { post, postFile } from "./outbox.js";
import { forgetSound } from "./player.js";
import { askConsent } from "./privacy.js";
import { ask, askFrom, listen } from "./server.js";
import { View } from "./view.js";

const find = (id) => document.getElementById(id);

function announce(text) {
  // The same sentence twice is read twice only if the text changes in between.
  find("announcer").textContent = "";
  setTimeout(() => (find("announcer").textContent = text), 50);
}

const view = new View(find("new-answers"));
const entries = new Entries(find("entries"), view, {
  announce,
  onQuestion: askConsent,
  onAgain: () => find("choose-folder").click(),
  onChange: showTools,
  onRemove: remove,
});

// Songs

function take(files) {
  const alone = files.length === 1;
  files.forEach((file, number) => postFile(entries.add(file.name, { alone, first: number === 0 }), file));
}

find("choose").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  take(files);
});

for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    const path = `examples/${encodeURIComponent(button.dataset.example)}`;
    post(entries.add(button.dataset.title), () => ask("POST", path));
  });
}

function takeLink(link) {
  post(entries.add(link), () => ask("POST", "links", { link }));
}

// Takes the link in a text, or says that there is none.
function takeText(text) {
  const link = linkIn(text);
  find("link-notice").textContent = link === null ? find("no-link").content.textContent : "";
  if (link !== null) takeLink(link);
  return link !== null;
}

find("link-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (takeText(find("link").value)) find("link").value = "";
  else find("link").focus();
});
find("link").addEventListener("input", () => (find("link-notice").textContent = ""));

async function remove(button, entry) {
  const gone = await askFrom(button, "DELETE", `history/${entry.id}`).catch((refused) => refused);
  if (gone instanceof Error && gone.status !== 404) return announce(gone.message);
  forgetSound(entry.id);
  entries.remove(entry.id);
  announce(gone.notice ?? "");
  find("link").focus({ preventScroll: true });
}

// Folders

let organising = Promise.resolve();

function takeFolder(folder) {
  const entry = entries.add(folder.name, { folder: true });
  organising = organising.then(() => sendFolder(folder, entry));
}

find("choose-folder").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  if (files.length > 0) takeFolder(listed(files));
});

// Pasted and dropped

document.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text").trim();
  if (event.clipboardData.files.length > 0) {
    event.preventDefault();
    take([...event.clipboardData.files]);
  } else if (text !== "" && !event.target.closest?.("input, textarea, dialog")) {
    event.preventDefault();
    takeText(text);
  }
});

let inside = 0;
const carries = (event) => ["Files", "text/uri-list", "text/plain"].some((kind) => event.dataTransfer?.types.includes(kind));
const isField = (event) => event.target.closest?.("input[type=text]") && !event.dataTransfer.types.includes("Files");
const veil = (on) => (find("veil").hidden = !on);
document.addEventListener("dragenter", (event) => carries(event) && veil(++inside > 0));
document.addEventListener("dragleave", (event) => carries(event) && veil(--inside > 0));
document.addEventListener("dragover", (event) => carries(event) && !isField(event) && event.preventDefault());
document.addEventListener("drop", (event) => {
  if (!carries(event)) return;
  inside = 0;
  veil(false);
  if (isField(event)) return;
  event.preventDefault();
  const given = event.dataTransfer;
  if (!given.types.includes("Files")) {
    takeText(given.getData("text/uri-list") || given.getData("text/plain"));
    return;
  }
  // What was dropped can be looked at only now, before anything is waited for.
  const { folders, files } = foldersOf(given);
  take(files);
  folders.forEach(takeFolder);
});

// What was said so far, now and whenever the connection comes back

async function remember(quiet, anew = false) {
  const past = await ask("POST", "hello").catch(() => null);
  if (past === null) return false;
  for (const entry of past.entries) entries.show(entry, quiet, anew);
  if (past.question !== null) askConsent(past.question);
  return true;
}

async function begin() {
  while (!(await remember(true))) {
    find("lost").hidden = false;
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  find("lost").hidden = true;
  // Whoever comes back goes on where they were; a new page is read from its beginning.
  const last = find("entries").lastElementChild;
  if (last !== null) {
    if (last.dataset.state === "answered") entries.openOnly(last);
    window.scrollTo(0, document.body.scrollHeight);
  }
  takeShared();
  const anew = listen(
    (entry) => entries.show(entry),
    () => {
      find("lost").hidden = true;
      remember(false);
    },
    () => (find("lost").hidden = false),
  );
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () =>
      changeLanguage(button, async () => {
        anew();
        entries.reword();
        await remember(true, true);
        showTools();
      }),
    );
  }
  document.body.dataset.ready = "true";
}

// What another app has shared with this one, see page/manifest.webmanifest.
async function takeShared() {
  const shared = new URLSearchParams(location.search);
  const texts = ["url", "text", "title"].map((name) => shared.get(name)).filter(Boolean);
  if (texts.length === 0 && !shared.has("songs")) return;
  history.replaceState(null, "", location.pathname);
  if (shared.has("songs")) take(await (await import("./shared.js")).takeFiles());
  else takeText(texts.join(" "));
}

if (navigator.serviceWorker) {
  const share = async () => (await import("./shared.js")).letAppsShare();
  if (matchMedia("(display-mode: standalone)").matches) share();
  else window.addEventListener("appinstalled", share, { once: true });
}

// Search, summary and statistics are for those who have many songs; nobody else loads them.

async function showTools() {
  if (entries.shown.size <= 3 && find("tools").hidden) return;
  const { draw } = await import("./tools.js");
  draw(find("tools"), entries);
}

if (navigator.mediaDevices?.getUserMedia) {
  find("record").hidden = false;
  find("record").addEventListener("click", async () => {
    const { record } = await import("./recorder.js");
    record(find("record"), (file) => take([file]), announce);
  });
}

begin();
