// A song in one line: title, genre, confidence and a strip of its parts.

export function fillRow(node, entry) {
  const row = node.querySelector(".row");
  const part = (name) => row.querySelector(name);
  part(".row-title").textContent = node.querySelector(".title").textContent;
  part(".row-genre").textContent = entry.opinion?.name ?? entry.genre ?? entry.headline ?? entry.text ?? "";
  part(".row-confidence").textContent = entry.confidence ?? "";
  part(".strip").replaceChildren(...stripParts(entry));
}

// One box for each part, as long as the part and in the colour of its genre.
export function stripParts(entry) {
  return (entry.segments ?? []).map((segment) => {
    const box = document.createElement("i");
    box.style.setProperty("--share", Math.max(segment.end - segment.start, 0.1));
    box.style.setProperty("--height", segment.probability);
    if (segment.colour) {
      box.style.setProperty("--light", segment.colour.light);
      box.style.setProperty("--dark", segment.colour.dark);
    }
    box.classList.toggle("other", segment.colour === null);
    return box;
  });
}
