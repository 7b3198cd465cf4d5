// Listening to a song part by part, from the browser's own memory or from an example. One song plays at a time.

import { fileOf } from "./outbox.js";
import { stripParts } from "./rows.js";

const STEP_SECONDS = 5;
const words = (name) => document.getElementById(name).content.textContent.trim();
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const sound = new Audio();
const addresses = new Map();
let playing = null;

function addressOf(entry) {
  if (entry.audio !== null) return entry.audio;
  const file = fileOf(entry.id);
  if (file === null) return null;
  if (!addresses.has(entry.id)) addresses.set(entry.id, URL.createObjectURL(file));
  return addresses.get(entry.id);
}

export function forgetSound(id) {
  if (playing?.entry.id === id) sound.pause();
  if (addresses.has(id)) URL.revokeObjectURL(addresses.get(id));
  addresses.delete(id);
}

// Adds the player to an answer, if the song can be listened to here.
export function addPlayer(node, entry) {
  const address = addressOf(entry);
  if (address === null) return;
  const player = new Player(node, entry, address);
  node.querySelector(".player").hidden = false;
  node.querySelectorAll("tbody tr").forEach((row, number) => {
    const time = row.querySelector("th");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "part";
    button.textContent = time.textContent;
    button.setAttribute("aria-label", `${words("play")} ${time.textContent}`);
    button.onclick = () => player.playFrom(entry.segments[number].start);
    time.replaceChildren(button);
  });
  const image = node.querySelector("figure img");
  image.classList.add("playable");
  image.onclick = (event) => {
    const box = image.getBoundingClientRect();
    const place = (event.clientX - box.left) / box.width;
    const share = (place - entry.picture.left) / (entry.picture.right - entry.picture.left);
    if (share >= 0 && share <= 1) player.playFrom(share * player.end);
  };
}

class Player {
  constructor(node, entry, address) {
    this.node = node;
    this.entry = entry;
    this.address = address;
    this.end = entry.segments.at(-1).end;
    // A song may go on for a moment after its last part.
    this.length = Math.max(entry.seconds, this.end);
    this.at = 0;
    this.part = (name) => node.querySelector(`.player ${name}`);
    this.slider = this.part("[role=slider]");
    this.slider.setAttribute("aria-valuemax", Math.round(this.length));
    this.slider.querySelector(".strip").replaceChildren(...stripParts(entry));
    this.boxes = [...this.slider.querySelectorAll(".strip i")];
    this.rows = [...node.querySelectorAll("tbody tr")];
    this.part(".play").onclick = () => (this.isPlaying() ? sound.pause() : this.playFrom(this.at));
    this.slider.onclick = (event) => {
      const box = this.slider.getBoundingClientRect();
      this.playFrom(((event.clientX - box.left) / box.width) * this.end);
    };
    this.slider.onkeydown = (event) => this.key(event);
    this.mark();
  }

  isPlaying() {
    return playing === this && !sound.paused;
  }

  key(event) {
    const number = this.number();
    const starts = this.entry.segments.map((segment) => segment.start);
    const places = {
      ArrowRight: this.at + STEP_SECONDS,
      ArrowLeft: this.at - STEP_SECONDS,
      ArrowUp: starts[number + 1] ?? this.at,
      ArrowDown: starts[Math.max(0, number - 1)],
      PageUp: starts[number + 1] ?? this.at,
      PageDown: starts[Math.max(0, number - 1)],
      Home: 0,
      End: starts.at(-1),
    };
    if (event.key in places) {
      event.preventDefault();
      this.seek(places[event.key]);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.part(".play").click();
    }
  }

  number() {
    const found = this.entry.segments.findLastIndex((segment) => segment.start <= this.at);
    return Math.max(0, found);
  }

  seek(seconds) {
    this.at = Math.min(Math.max(0, seconds), this.end - 0.1);
    if (playing === this) sound.currentTime = this.at;
    this.mark();
  }

  async playFrom(seconds) {
    if (playing !== this) {
      sound.pause();
      playing?.mark();
      playing = this;
      sound.src = this.address;
    }
    this.seek(seconds);
    this.part(".unplayable").textContent = "";
    try {
      await sound.play();
    } catch (error) {
      if (error.name !== "AbortError") this.part(".unplayable").textContent = words("unplayable");
    }
    this.mark();
  }

  mark() {
    const number = this.number();
    const segment = this.entry.segments[number];
    const going = this.isPlaying();
    this.part(".play").setAttribute("aria-label", words(going ? "pause" : "play"));
    this.part(".play").classList.toggle("going", going);
    const at = Math.min(this.at, this.length);
    this.part(".time").textContent = `${clock(at)} / ${clock(this.length)}`;
    this.slider.setAttribute("aria-valuenow", Math.round(at));
    this.slider.setAttribute("aria-valuetext", `${clock(at)}, ${segment.genre} ${segment.confidence}`);
    this.slider.style.setProperty("--at", `${Math.min(100, (100 * at) / this.end)}%`);
    const marked = playing === this ? number : -1;
    this.boxes.forEach((box, place) => box.classList.toggle("playing", place === marked));
    this.rows.forEach((row, place) => {
      if (place === marked) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  }
}

sound.addEventListener("timeupdate", () => {
  if (playing === null || sound.paused) return;
  playing.at = sound.currentTime;
  playing.mark();
});
for (const event of ["pause", "play", "ended"]) sound.addEventListener(event, () => playing?.mark());
