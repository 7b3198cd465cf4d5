// Finds the link in what somebody typed, pasted or dragged here.

const LINK = /(?:https?:\/\/|www\.)[^\s<>"“”]+|(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{2,}\/[^\s<>"“”]*/iu;

export function linkIn(text) {
  const found = text.match(LINK)?.[0].replace(/[.,;:!?'’)\]}…]+$/u, "");
  if (!found || found.length < 5) return null;
  return /^https?:\/\//iu.test(found) ? found : `https://${found}`;
}
