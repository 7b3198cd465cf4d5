// Talks to the page's server. Every answer is already worded; failures come back as a sentence.

const words = (name) => document.getElementById(name).content.textContent.trim();
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// How often a bot that does not answer is tried again.
const AWAY_PAUSE = 2000;

// status is that of the answer, or 0 where none came; code names the error for the page itself.
export class Refused extends Error {
  constructor(message, status = 0, code = null) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(words("upload-failed"));
  }
  return read(response.status, await response.text());
}

function read(status, text) {
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // Not worded by the bot: the general sentence has to do.
  }
  if (status >= 200 && status < 300 && answer !== null) return answer;
  throw new Refused(answer?.error ?? words("upload-failed"), status, answer?.code ?? null);
}

// Does something until the bot has answered. While the bot is away, onAway is told so, and later that it is back.
export async function untilAnswered(act, onAway = () => null) {
  for (let away = false; ; away = true) {
    try {
      const answer = await act();
      if (away) onAway(null);
      return answer;
    } catch (refused) {
      if (refused.status !== 0 || (await answers())) {
        if (away) onAway(null);
        throw refused;
      }
      onAway(words("away"));
      await pause(AWAY_PAUSE);
    }
  }
}

// The same for one request on behalf of a button: the sentence stands beside it until the bot is back.
export function askFrom(button, method, path, body) {
  const place = button.closest(".buttons, .opinion, form, .progress, .stop-line") ?? button;
  return untilAnswered(
    () => ask(method, path, body),
    (sentence) => tellBeside(place, sentence),
  );
}

export function tellBeside(place, sentence) {
  const before = place.nextElementSibling?.matches(".beside") ? place.nextElementSibling : null;
  if (sentence === null) {
    before?.remove();
    return;
  }
  const notice = before ?? document.createElement("p");
  notice.className = "notice beside";
  notice.setAttribute("role", "status");
  if (before === null) place.after(notice);
  if (notice.textContent !== sentence) notice.textContent = sentence;
}

async function answers() {
  return fetch("healthz", { cache: "no-store" }).then((response) => response.ok, () => false);
}

// Sends a file as it is; how much of it has been sent is nobody's business.
export async function sendQuietly(path, file, signal) {
  let response;
  try {
    const headers = { "Content-Type": "application/octet-stream" };
    response = await fetch(path, { method: "POST", headers, body: file, signal });
  } catch {
    throw new Refused(words("upload-failed"));
  }
  return read(response.status, await response.text());
}

// A header holds some thousand bytes, and half a surrogate pair cannot be encoded.
const shortName = (name) => [...name].filter((sign) => !/\p{Surrogate}/u.test(sign)).slice(0, 200).join("");

// fetch() cannot tell how much of a file has been sent; XMLHttpRequest can.
export function send(file, onShare, signal) {
  return new Promise((resolve, reject) => {
    if (file.size > Number(document.body.dataset.maxBytes)) {
      reject(new Refused(words("too-large"), 413, "too-large"));
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", "songs");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(shortName(file.name)));
    request.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    request.onload = () => {
      try {
        resolve(read(request.status, request.responseText));
      } catch (refused) {
        reject(refused);
      }
    };
    request.onerror = () => reject(new Refused(words("upload-failed")));
    request.onabort = () => reject(new Refused("", 499, "stopped"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

// News of songs, as long as the page is looked at: a browser keeps only six connections to a server open, so pages in
// the background must not hold one. Whoever comes back asks for everything anew. Returns a function that asks for news
// anew, in the language that was chosen meanwhile.
export function listen(onEntry, onBack, onLost) {
  let source = null;
  let lost = false;
  const close = () => {
    source?.close();
    source = null;
  };
  const open = () => {
    if (source !== null || document.hidden) return;
    source = new EventSource("events");
    source.addEventListener("entry", (event) => onEntry(JSON.parse(event.data)));
    source.onopen = () => {
      lost = false;
      onBack();
    };
    source.onerror = () => {
      if (!lost) onLost();
      lost = true;
      if (source?.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(open, 3000);
      }
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
  return () => {
    close();
    open();
  };
}
