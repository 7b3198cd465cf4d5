// Talks to the page's server. Every answer is already worded; failures come back as a sentence, or as null.

const words = (name) => document.getElementById(name).content.textContent.trim();

// status is that of the answer, or 0 where none came.
export class Refused extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
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
  throw new Refused(answer?.error ?? words("upload-failed"), status);
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
export function send(file, onShare) {
  return new Promise((resolve, reject) => {
    if (file.size > Number(document.body.dataset.maxBytes)) {
      reject(new Refused(words("too-large")));
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
    request.send(file);
  });
}

// News of songs, as long as the page is looked at: a browser keeps only six connections to a server open, so pages in
// the background must not hold one. Whoever comes back asks for everything anew.
export function listen(onEntry, onBack, onLost) {
  let source = null;
  let lost = false;
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
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else {
      open();
    }
  });
  open();
}
