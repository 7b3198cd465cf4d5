// Songs on their way to the bot: they are sent one after the other and wait in the browser while the bot takes no more,
// or while it is away. Keeps the files that were sent, so that they can be listened to and sent again.

import { Refused, send, untilAnswered } from "./server.js";

// After this time the bot is asked again whether it has room.
const ROOM_PAUSE = 1500;
const NO_ROOM = new Set(["too-many-queued", "closing"]);

const words = (name) => document.getElementById(name).content.textContent.trim();
const files = new Map();

let waiting = [];
let busy = 0;

// The file behind an entry, if it was sent from this page; null otherwise.
export const fileOf = (id) => files.get(id) ?? null;
export const isSending = () => busy > 0;

window.addEventListener("beforeunload", (event) => isSending() && event.preventDefault());

// Sends something by act(onShare, signal), which returns the song's first entry. Its turn comes after all others.
export function post(entry, act, file = null) {
  busy += 1;
  const stop = new AbortController();
  entry.onStop(() => {
    stop.abort();
    waiting = waiting.filter((one) => one.entry !== entry);
    if (one.begun) return;
    busy -= 1;
    entry.fails(words("stopped"), again);
  });
  const one = { entry, act, file, stop, begun: false };
  const again = () => post(entry.restarts(), act, file);
  one.again = again;
  entry.waits("waiting");
  waiting.push(one);
  if (waiting.length === 1 && !sending) sendAll();
}

export const postFile = (entry, file) => post(entry, (share, signal) => send(file, share, signal), file);

let sending = false;

async function sendAll() {
  sending = true;
  while (waiting.length > 0) {
    const one = waiting.shift();
    one.begun = true;
    await sendOne(one);
    busy -= 1;
  }
  sending = false;
}

async function sendOne({ entry, act, file, stop, again }) {
  const attempt = async () => {
    if (stop.signal.aborted) throw new Refused("", 499, "stopped");
    if (isFull()) throw new Refused("", 429, "too-many-queued");
    entry.waits("sending");
    return act(entry.share, stop.signal);
  };
  for (;;) {
    try {
      const answer = await untilAnswered(attempt, (away) => entry.waits(away === null ? "sending" : "away"));
      if (file !== null) files.set(answer.id, file);
      entry.becomes(answer, again);
      return;
    } catch (refused) {
      const stopped = refused.code === "stopped";
      if (stopped || !NO_ROOM.has(refused.code)) {
        entry.fails(stopped ? words("stopped") : refused.message, again);
        return;
      }
      entry.waits("no-room");
      await roomAgain(stop.signal);
    }
  }
}

// Whether the bot would say that it takes no more; one place stays free, for news come late. A page in the background
// hears no news and has to ask.
function isFull() {
  const queued = document.querySelectorAll(".entry[data-state=waiting], .entry[data-state=asking]").length;
  return !document.hidden && queued >= Math.max(1, Number(document.body.dataset.mostQueued) - 1);
}

// Ends when a song has been answered, when the wait is over, or when this one is stopped.
function roomAgain(signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ROOM_PAUSE);
    const now = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", now, { once: true });
    document.addEventListener("song-ended", now, { once: true });
  });
}
