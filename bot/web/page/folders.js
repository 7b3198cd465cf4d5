// A folder that is dropped or opened: finds its songs and sends them one by one, as the server has room for them. How a
// folder is shown is collections.js.

import { ask, sendQuietly } from "./server.js";

// After this time the server is asked again: whether it is back, or whether the last songs were heard.
const PAUSE = 2000;
// What the server says where the folder, or whoever dropped it, has been forgotten.
const GONE = new Set([401, 404]);
const MUSIC = new Set(document.body.dataset.music.split(" "));
const MOST_SONGS = Number(document.body.dataset.mostSongs);

const suffix = (name) => name.slice(name.lastIndexOf(".")).toLowerCase();
const isMusic = (path) => {
  const parts = path.split("/");
  return parts.every((part) => !part.startsWith(".")) && parts.at(-1).includes(".") && MUSIC.has(suffix(path));
};
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Sorts what was dropped into folders, whose songs are found later, and other files.
export function foldersOf(dropped) {
  const items = [...dropped.items].filter((item) => item.kind === "file");
  const found = items.map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.() ?? null }));
  return {
    folders: found
      .filter(({ entry }) => entry?.isDirectory)
      .map(({ entry }) => ({ name: entry.name, songs: () => walk(entry) })),
    files: found.filter(({ file, entry }) => file !== null && !entry?.isDirectory).map(({ file }) => file),
  };
}

// The folder that the browser's own dialog listed.
export function listed(files) {
  const [name] = files[0].webkitRelativePath.split("/");
  const songs = files
    .map((file) => ({ path: file.webkitRelativePath.slice(name.length + 1), file: async () => file }))
    .filter(({ path }) => isMusic(path));
  return { name, songs: async () => songs };
}

async function walk(folder) {
  const songs = [];
  const waiting = [folder];
  while (waiting.length > 0) {
    const entry = waiting.pop();
    // fullPath begins with the folder's own name.
    const path = entry.fullPath.slice(folder.fullPath.length + 1);
    if (entry.isDirectory && !(path && entry.name.startsWith("."))) {
      waiting.push(...(await inside(entry)));
    } else if (entry.isFile && isMusic(path)) {
      songs.push({ path, file: () => new Promise((resolve, reject) => entry.file(resolve, reject)) });
    }
  }
  return songs;
}

async function inside(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    // Browsers give a hundred at a time; none at all is the end, and so is a folder that may not be read.
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return found;
    found.push(...some);
  }
}

// Whoever closes the page now would have to open the folder again.
let sending = 0;
window.addEventListener("beforeunload", (event) => sending > 0 && event.preventDefault());

export async function sendFolder(folder, entry) {
  try {
    const songs = new Map((await folder.songs()).map(({ path, file }) => [path, file]));
    const files = songs.size > MOST_SONGS ? [] : await list(songs);
    const begun = await ask("POST", "collections", { name: folder.name, count: songs.size, files });
    entry.becomes(begun.entry);
    await sendSongs(`collections/${begun.entry.id}`, begun.missing, songs);
  } catch (refused) {
    entry.fails(refused.message);
  }
}

async function list(songs) {
  const files = [];
  for (const [path, open] of songs) {
    const file = await open().catch(() => null);
    // One that cannot be opened is listed all the same, so that it is told.
    files.push([path, file?.size ?? 1, Math.trunc(file?.lastModified ?? 0)]);
  }
  return files;
}

// Ends when the folder is done or stopped, and not before: should the server be started anew while it hears the last
// songs, it will ask for them again.
async function sendSongs(address, missing, songs) {
  let asked = { going: true, room: true, missing };
  while (asked.going) {
    const [next, ...others] = asked.missing;
    try {
      if (next === undefined) {
        await pause(PAUSE);
        asked = await ask("GET", `${address}/room`);
      } else if (asked.room) {
        const { room } = await counted(sendSong(`${address}/songs/${next[0]}`, songs.get(next[1])));
        asked = { ...asked, room, missing: others };
      } else {
        asked = await counted(ask("GET", `${address}/room`));
      }
    } catch (refused) {
      if (GONE.has(refused.status)) return;
      await pause(PAUSE);
      asked = { ...asked, room: false };
    }
  }
}

async function counted(work) {
  sending += 1;
  return work.finally(() => (sending -= 1));
}

async function sendSong(address, open) {
  let file;
  try {
    file = await open();
    await file.slice(0, 1).arrayBuffer();
  } catch {
    return ask("DELETE", address);
  }
  return sendQuietly(address, file);
}
