// May the bot learn from this? What is kept of a person, and how it is deleted.

import { ask, askFrom } from "./server.js";

const find = (id) => document.getElementById(id);
const dialog = find("privacy");

function paragraph(text) {
  const node = document.createElement("p");
  node.textContent = text;
  return node;
}

// Asks where the person has just pressed something, or at the end of the conversation.
export function askConsent(text, place = find("afterwards")) {
  if (find("consent-question")) return;
  const node = find("consent").content.firstElementChild.cloneNode(true);
  node.querySelector(".question-text").textContent = text;
  for (const [key, allow] of [["allow", true], ["refuse", false]]) {
    const button = node.querySelector(`[data-key=${key}]`);
    button.onclick = () => answerConsent(node, button, allow);
  }
  place.append(node);
  if (place !== find("afterwards")) node.scrollIntoView({ block: "nearest" });
}

async function answerConsent(node, button, allow) {
  const answer = await askFrom(button, "POST", "consent", { allow }).catch((refused) => ({ notice: refused.message }));
  const notice = paragraph(answer.notice);
  notice.className = "bubble bot consent-notice";
  notice.tabIndex = -1;
  node.replaceWith(notice);
  notice.focus({ preventScroll: true });
}

async function show() {
  const said = await ask("GET", "privacy").catch((refused) => ({ text: refused.message }));
  find("privacy-text").replaceChildren(...said.text.split("\n\n").map(paragraph));
  const asking = find("privacy-asking");
  asking.hidden = !said.asking;
  asking.textContent = said.asking ?? "";
  asking.onclick = () => change(asking, "asking", { allow: !said.asks });
  const consent = find("privacy-consent");
  consent.hidden = said.change === undefined;
  consent.textContent = said.change ?? "";
  consent.onclick = async () => {
    await change(consent, "consent", { allow: !said.allowed });
    find("consent-question")?.remove();
  };
}

async function change(button, address, body) {
  const answer = await askFrom(button, "POST", address, body).catch((refused) => ({ notice: refused.message }));
  await show();
  find("privacy-notice").textContent = answer.notice;
}

function askForget(asking) {
  find("forget-question").hidden = !asking;
  find("privacy-forget").disabled = asking;
}

find("open-privacy").addEventListener("click", async () => {
  askForget(false);
  find("privacy-now").hidden = false;
  find("privacy-notice").textContent = "";
  await show();
  dialog.showModal();
});
find("privacy-forget").addEventListener("click", () => {
  askForget(true);
  find("forget-question").querySelector("p").focus();
  find("forget-question").scrollIntoView({ block: "nearest" });
});
find("forget-keep").addEventListener("click", () => {
  askForget(false);
  find("privacy-forget").focus();
});
find("forget-confirm").addEventListener("click", async () => {
  let answer;
  try {
    answer = await askFrom(find("forget-confirm"), "POST", "forget");
  } catch (refused) {
    find("privacy-notice").textContent = refused.message;
    return;
  }
  // What was true before is no longer: neither the text nor the buttons above it.
  find("privacy-now").hidden = true;
  find("privacy-notice").textContent = answer.notice;
  find("privacy-notice").focus();
  // Nothing of the old conversation may stay on the screen.
  dialog.addEventListener("close", () => location.reload(), { once: true });
});
