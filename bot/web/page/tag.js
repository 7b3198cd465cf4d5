// Reads the genre from a file's own tag: ID3 (mp3), Vorbis comments (flac, ogg, opus), MP4. The file stays where it is.

const HEAD_BYTES = 512 * 1024;
const LONGEST = 100;

export async function genreTag(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const text = (id3(bytes) ?? vorbis(bytes) ?? mp4(bytes) ?? "").replace(/[\0\p{Cc}]+/gu, " ").trim();
  // A number in brackets is that of ID3's first list; without a name beside it, it says nothing to people.
  const named = text.replace(/^\(\d+\)/u, "").trim();
  return named === "" || /^\d+$/u.test(named) ? null : named.slice(0, LONGEST);
}

const at = (bytes, place, text) => [...text].every((sign, number) => bytes[place + number] === sign.charCodeAt(0));

function find(bytes, text, from = 0) {
  for (let place = from; place <= bytes.length - text.length; place += 1) if (at(bytes, place, text)) return place;
  return -1;
}

function number(bytes, place, bits = 8, little = false) {
  const four = [...bytes.subarray(place, place + 4)];
  return (little ? four.reverse() : four).reduce((sum, byte) => sum * 2 ** bits + byte, 0);
}

function id3(bytes) {
  if (!at(bytes, 0, "ID3")) return null;
  const end = Math.min(10 + number(bytes, 6, 7), bytes.length);
  const frame = find(bytes.subarray(0, end), "TCON");
  if (frame < 0) return null;
  const size = number(bytes, frame + 4, bytes[3] >= 4 ? 7 : 8);
  const encoding = ["iso-8859-1", "utf-16", "utf-16be", "utf-8"][bytes[frame + 10]];
  return encoding ? new TextDecoder(encoding).decode(bytes.subarray(frame + 11, frame + 10 + size)) : null;
}

function vorbis(bytes) {
  if (!at(bytes, 0, "OggS") && !at(bytes, 0, "fLaC")) return null;
  for (const name of ["GENRE=", "genre=", "Genre="]) {
    const place = find(bytes, name);
    if (place < 4) continue;
    const size = number(bytes, place - 4, 8, true);
    if (size <= 6 + 4 * LONGEST) return new TextDecoder().decode(bytes.subarray(place + 6, place + size));
  }
  return null;
}

function mp4(bytes) {
  if (!at(bytes, 4, "ftyp")) return null;
  const place = find(bytes, "\u00a9gen");
  if (place < 0 || !at(bytes, place + 8, "data")) return null;
  return new TextDecoder().decode(bytes.subarray(place + 20, place + 4 + number(bytes, place + 4)));
}
