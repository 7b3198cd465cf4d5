// Changes the page's language in place, so that songs which are being sent or played go on.

import { askFrom } from "./server.js";

// What these hold is drawn by scripts, not by the page itself.
const DRAWN = new Set(["entries", "afterwards", "tools", "privacy-text", "privacy-notice", "link-notice", "announcer"]);
// State of the page as it is now, which the new text must not undo.
const KEPT = new Set(["hidden", "open", "disabled", "style", "class", "src", "data-ready"]);

export async function changeLanguage(button, onChanged) {
  await askFrom(button, "POST", "language", { language: button.dataset.language });
  const page = await fetchPage();
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  reword(document.body, page.body);
  onChanged();
}

// The page's policy of trusted types lets no text become markup; a request may bring a document.
function fetchPage() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", "./");
    request.responseType = "document";
    request.onload = () => (request.response ? resolve(request.response) : reject(new Error("no page")));
    request.onerror = () => reject(new Error("no page"));
    request.send();
  });
}

function reword(old, fresh) {
  for (const { name, value } of fresh.attributes) if (!KEPT.has(name)) old.setAttribute(name, value);
  if (DRAWN.has(old.id)) return;
  if (old.localName === "template") {
    old.content.replaceChildren(...fresh.content.childNodes);
    return;
  }
  const parts = [...fresh.childNodes];
  [...old.childNodes].forEach((node, number) => {
    const other = parts[number];
    if (node.nodeType === Node.TEXT_NODE && other?.nodeType === Node.TEXT_NODE) node.data = other.data;
    else if (node.nodeType === Node.ELEMENT_NODE && other?.localName === node.localName) reword(node, other);
  });
}
