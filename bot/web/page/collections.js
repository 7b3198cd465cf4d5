// How a folder is shown: how far it is, then what was found in it. Its nodes stay while what they say changes, so that
// focus stays, too.

import { chooseGenre } from "./genres.js";

const copy = (name) => document.getElementById(name).content.cloneNode(true);

export function newCollection(node) {
  node.querySelector(".you .unseen").textContent = `${document.getElementById("folder-sent").content.textContent}: `;
  node.querySelector(".you").classList.add("folder");
  return copy("collection");
}

export function showCollection(node, entry, before, { quiet, owner }) {
  const reply = node.querySelector(".reply");
  if (!reply.querySelector(".collection")) reply.replaceChildren(newCollection(node));
  const part = (name) => reply.querySelector(name);
  const hadFocus = document.activeElement === part(".stop");

  part(".progress").hidden = !entry.going;
  part(".headline").hidden = entry.going;
  part(entry.going ? ".stage" : ".headline").textContent = entry.text;
  part("progress").value = entry.share;
  part("progress").setAttribute("aria-label", entry.text);
  part(".stop").hidden = false;
  part(".stop").onclick = () => owner.change(part(".stop"), "DELETE", `collections/${entry.id}`);
  part(".again").hidden = entry.again === null;
  part(".again button").textContent = entry.again ?? "";
  part(".again button").onclick = owner.onAgain;

  showLesson(part, entry, owner);
  if (JSON.stringify(before?.sorted) !== JSON.stringify(entry.sorted)) showSorted(part, entry, owner);
  if (JSON.stringify(before?.failures) !== JSON.stringify(entry.failures)) showFailures(part, entry);

  // On a small window, what was just found may lie below its edge.
  if (!quiet && before === null) owner.view.arrived(node, true);
  if (entry.going) {
    owner.tellProgress(entry.text);
    return;
  }
  if (hadFocus) part(".headline").focus();
  if (quiet || before?.going !== true) return;
  owner.announce(entry.text);
  owner.view.arrived(node, true);
}

// A folder that is named for a genre may teach it; that is asked once.
function showLesson(part, entry, owner) {
  part(".lesson").hidden = entry.lesson === null;
  if (entry.lesson === null) return;
  part(".lesson p").textContent = entry.lesson.text;
  for (const [key, text, teach] of [["teach", entry.lesson.yes, true], ["leave", entry.lesson.no, false]]) {
    const button = part(`.lesson [data-key=${key}]`);
    button.textContent = text;
    button.onclick = async () => {
      await owner.change(button, "POST", `collections/${entry.id}/lesson`, { teach });
      part(".headline").focus();
    };
  }
}

function showSorted(part, entry, owner) {
  part(".sorted").hidden = entry.sorted === null;
  if (entry.sorted === null) return;
  const opened = new Set([...part(".shelves").querySelectorAll("details[open]")].map((one) => one.parentElement.dataset.name));
  part(".shelves").replaceChildren(...entry.sorted.shelves.map((one) => shelf(one, entry, owner, opened)));
  const select = part("select");
  select.replaceChildren(...entry.sorted.minimums.map(option));
  select.onchange = () =>
    owner.change(select, "POST", `collections/${entry.id}/confidence`, {
      percent: select.value === "" ? null : Number(select.value),
    });
  part(".report").href = entry.sorted.report;
  part(".playlists").href = entry.sorted.playlists;
  part(".unpack").textContent = entry.sorted.unpack;
}

// A genre's line opens into its songs, each of which can be put under another genre.
function shelf({ name, count, share, sure, songs }, entry, owner, opened) {
  const item = document.createElement("li");
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const label = document.createElement("span");
  label.textContent = name;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = share;
  bar.setAttribute("aria-hidden", "true");
  const number = document.createElement("strong");
  number.textContent = count;
  item.classList.toggle("unsure", !sure);
  item.dataset.name = name;
  summary.append(label, " ", bar, " ", number);
  const list = document.createElement("ul");
  // Songs that nobody looks at are not drawn.
  details.ontoggle = () => details.open && !list.hasChildNodes() && list.append(...songs.map((song) => line(song, entry, owner)));
  details.append(summary, list);
  details.open = opened.has(name);
  item.append(details);
  return item;
}

function line(song, entry, owner) {
  const item = copy("collection-song").firstElementChild;
  const address = `collections/${entry.id}/songs/${song.number}/genre`;
  item.querySelector("bdi").textContent = song.path;
  item.querySelector(".small").textContent = song.label === null ? song.answer : `${song.label} (${song.answer})`;
  const change = item.querySelector("[data-key=change]");
  const undo = item.querySelector("[data-key=undo]");
  undo.hidden = song.label === null;
  undo.onclick = () => owner.change(undo, "POST", address, { genre: null });
  change.onclick = () => {
    if (item.querySelector("form")) return;
    const choice = chooseGenre(
      "",
      owner.announce,
      (given, pressed) => owner.change(pressed, "POST", address, given),
      () => {
        choice.form.remove();
        change.focus();
      },
    );
    item.append(choice.form);
    choice.begin();
  };
  return item;
}

function option({ percent, name, chosen }) {
  const node = document.createElement("option");
  node.value = percent ?? "";
  node.textContent = name;
  node.selected = chosen;
  return node;
}

function showFailures(part, entry) {
  part(".failures").hidden = entry.failed === null;
  part(".failures summary").textContent = entry.failed ?? "";
  const items = entry.failures.map(({ path, why }) => {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = path;
    const sentence = document.createElement("span");
    sentence.textContent = why;
    item.append(name, " ", sentence);
    return item;
  });
  part(".failures ul").replaceChildren(...items);
}
