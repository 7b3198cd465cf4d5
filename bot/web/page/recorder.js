// Records what the microphone hears, with a meter that shows that it hears something.

const LEAST_SECONDS = 10;
const MOST_SECONDS = 30;
const METER_PAUSE = 100;
// Of full scale: what a silent room or a switched-off microphone does not reach.
const QUIET = 0.004;

const find = (id) => document.getElementById(id);
const words = (name) => find("recorder").content.querySelector("dialog").dataset[name];

export async function record(button, onFile, announce) {
  let stream;
  try {
    // What makes a voice clear in a call makes music worse.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    stream = await navigator.mediaDevices.getUserMedia({ audio });
  } catch {
    find("link-notice").textContent = words("refused");
    return;
  }
  find("link-notice").textContent = "";
  const dialog = find("recorder").content.firstElementChild.cloneNode(true);
  document.body.append(dialog);
  dialog.showModal();
  announce(words("hint"));
  const part = (name) => dialog.querySelector(name);
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  let loudest = 0;
  let wanted = false;

  const context = new AudioContext();
  const meter = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(meter);
  const samples = new Float32Array(meter.fftSize);
  const timer = setInterval(() => {
    meter.getFloatTimeDomainData(samples);
    const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    loudest = Math.max(loudest, level);
    part("meter").value = Math.min(1, Math.sqrt(level) * 1.4);
    part(".time").textContent = `0:${String(Math.floor(seconds())).padStart(2, "0")} / 0:${MOST_SECONDS}`;
    part(".done").disabled = seconds() < LEAST_SECONDS;
    const quiet = seconds() > 2 && loudest < QUIET ? words("quiet") : "";
    if (part(".notice").textContent !== quiet) part(".notice").textContent = quiet;
    if (seconds() >= MOST_SECONDS) part(".done").click();
  }, METER_PAUSE);

  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.onstop = () => {
    const type = recorder.mimeType.split(";")[0];
    const suffix = type.endsWith("mp4") ? "m4a" : type.endsWith("ogg") ? "ogg" : "webm";
    const time = new Date().toLocaleString(document.documentElement.lang);
    if (wanted) onFile(new File(pieces, `${words("name")} ${time}.${suffix}`.replaceAll("/", "-"), { type }));
  };
  part(".done").onclick = () => {
    wanted = true;
    dialog.close();
  };
  part(".cancel").onclick = () => dialog.close();
  dialog.addEventListener("close", () => {
    clearInterval(timer);
    recorder.stop();
    for (const track of stream.getTracks()) track.stop();
    context.close();
    dialog.remove();
    button.focus({ preventScroll: true });
  });
  recorder.start();
}
