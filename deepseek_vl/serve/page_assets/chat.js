// The conversation: what was said, what is being written, and the composer.

import { Answer, copyButton } from "./answer.js";
import { read } from "./pictures.js";
import { chunks, hasKey, health, model as readModel, rememberKey, ServerError } from "./server.js";
import { load, save } from "./store.js";

const $ = (id) => document.getElementById(id);
const SAVE_MS = 1000;
let turns = [];       // {role, text, images: [data URL], note}
let pending = [];     // {name, url}: images of the next message
let editing = null;   // index of the message that is edited
let model = null;     // name and limits
let running = null;   // AbortController of the answer that is written

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(label, action) {
  const made = element("button", "", label);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

function showError(message) {
  $("error").firstElementChild.textContent = message;
  $("error").hidden = !message;
}

function keep() {
  const settings = { temperature: $("temperature").value, maxTokens: $("max-tokens").value, system: $("system").value };
  return save({ turns, settings });
}

// ---- The server ----

async function connect() {
  try {
    const state = await health();
    $("model").textContent = state.status === "ok" ? state.model : state.model + " (" + state.status + "…)";
    if (state.status === "loading") {
      setTimeout(connect, 1000);
      return;
    }
    model = await readModel();
    $("key-panel").hidden = true;
    $("max-tokens").max = model.max_tokens;
    showError("");
    for (const shown of document.querySelectorAll(".turn.assistant")) shown.answer.retry();
  } catch (error) {
    if (!(error instanceof ServerError)) {
      $("model").textContent = "not connected";
      showError("The server cannot be reached.");
      setTimeout(connect, 3000);
    } else if (error.status === 401) {
      $("key-panel").hidden = false;
      $("key").focus();
      showError(hasKey() ? "The server does not know this key." : "");
    } else {
      showError(error.message);
    }
    return;
  }
  update();
}

function request() {
  const system = $("system").value.trim();
  const messages = turns.map((turn) => {
    if (!turn.images.length) return { role: turn.role, content: turn.text };
    const images = turn.images.map((url) => ({ type: "image_url", image_url: { url } }));
    return { role: turn.role, content: [...images, { type: "text", text: turn.text }] };
  });
  if (system) messages.unshift({ role: "system", content: system });
  return {
    model: model.id,
    messages,
    temperature: $("temperature").valueAsNumber || 0,
    max_tokens: $("max-tokens").valueAsNumber || 512,
  };
}

// ---- The conversation ----

// Call before the log grows; the function it returns scrolls to the end if the end was in sight.
function following() {
  const main = document.querySelector("main");
  const follow = main.scrollHeight - main.scrollTop - main.clientHeight < 80;
  return () => {
    if (follow) main.scrollTop = main.scrollHeight;
  };
}

function scrollToEnd() {
  const main = document.querySelector("main");
  main.scrollTop = main.scrollHeight;
}

function pictures(urls) {
  const box = element("div", "pictures");
  for (const url of urls) {
    const image = element("img");
    image.src = url;
    image.alt = "image of this message";
    box.append(image);
  }
  return box;
}

function actions(turn) {
  const box = element("div", "actions");
  box.append(copyButton("Copy", () => turn.text));
  const act = (label, action) => box.append(button(label, () => running || action(turns.indexOf(turn))));
  if (turn.role === "user") act("Edit", edit);
  else act("Retry", retry);
  return box;
}

function showTurn(turn) {
  const shown = element("div", "turn " + turn.role);
  if (turn.role === "assistant") {
    shown.append(element("div", "who", turn.model));
    shown.answer = new Answer(following);
    shown.append(shown.answer.element);
    if (turn.text) shown.answer.show(turn.text);
    if (turn.note) shown.append(element("div", "note", turn.note));
  } else {
    if (turn.images.length) shown.append(pictures(turn.images));
    shown.append(element("p", "", turn.text));
  }
  shown.append(actions(turn));
  $("log").append(shown);
  $("welcome").hidden = true;
  return shown;
}

function note(shown, turn, text) {
  const done = following();
  turn.note = text;
  shown.lastElementChild.before(element("div", "note", text));
  done();
}

// Remove the turns from `index` on.
function cut(index) {
  const removed = turns.splice(index);
  for (const shown of [...document.querySelectorAll(".turn")].slice(index)) shown.remove();
  $("welcome").hidden = turns.length > 0;
  return removed;
}

function edit(index) {
  editing = index;
  $("text").value = turns[index].text;
  pending = turns[index].images.map((url, k) => ({ name: "image " + (k + 1), url }));
  update();
  $("text").focus();
}

function stopEditing() {
  editing = null;
  $("text").value = "";
  pending = [];
  update();
}

function retry(index) {
  stopEditing();
  answer(cut(index));
}

function ask() {
  const question = { role: "user", text: $("text").value.trim(), images: pending.map((image) => image.url) };
  const replaced = editing === null ? [] : cut(editing);
  editing = null;
  pending = [];
  $("text").value = "";
  turns.push(question);
  showTurn(question);
  answer(replaced, question);
}

// Write the next answer. If there is none, the conversation becomes what it was: `replaced` comes back, and a new
// `question` goes back to the composer.
async function answer(replaced, question) {
  const turn = { role: "assistant", text: "", images: [], model: model.id };
  const sent = request();
  turns.push(turn);
  const shown = showTurn(turn);
  shown.classList.add("running");
  turn.note = "Cut when the page was left.";  // kept with the answer until it is complete
  running = new AbortController();
  showError("");
  $("status").textContent = "Answering";
  update();
  scrollToEnd();
  keep();
  let error = "";
  let saved = Date.now();
  let reason = null;
  try {
    for await (const chunk of chunks(sent, running.signal)) {
      const choice = chunk.choices[0];
      reason = choice.finish_reason ?? reason;
      if (!choice.delta.content) continue;
      turn.text += choice.delta.content;
      shown.answer.show(turn.text);
      if (Date.now() - saved > SAVE_MS) {
        saved = Date.now();
        keep();
      }
    }
  } catch (problem) {
    if (!running.signal.aborted) {
      error = problem instanceof TypeError ? "The connection to the server failed." : problem.message;
      if (problem.status === 401) $("key-panel").hidden = false;
    }
  }
  await shown.answer.show(turn.text);
  delete turn.note;
  if (reason === "length") note(shown, turn, "The longest answer allowed ends here.");
  else if (reason === null && turn.text) note(shown, turn, error ? "The answer was cut." : "Stopped.");
  shown.classList.remove("running");
  if (!turn.text && reason === null) takeBack(turns.length - 1, replaced, question);
  showError(error);
  running = null;
  $("status").textContent = error ? "" : "Answer complete";
  update();
  keep();
  $("text").focus();
}

function takeBack(index, replaced, question) {
  cut(question ? index - 1 : index);
  for (const turn of replaced) {
    turns.push(turn);
    showTurn(turn);
  }
  if (question) {
    pending = question.images.map((url, k) => ({ name: "image " + (k + 1), url }));
    $("text").value = question.text;
    if (replaced.length) editing = index - 1;
  }
}

// ---- The composer ----

// Images of the conversation as it would be sent.
function numImages() {
  const kept = editing === null ? turns : turns.slice(0, editing);
  return kept.reduce((sum, turn) => sum + turn.images.length, pending.length);
}

function update() {
  const images = numImages();
  const tooMany = model !== null && images > model.max_images;
  $("count").textContent = images && model ? images + " of " + model.max_images + " images" : "";
  $("send").hidden = running !== null;
  $("stop").hidden = running === null;
  $("send").disabled = model === null || tooMany || !($("text").value.trim() || pending.length);
  $("new").disabled = running !== null || !turns.length;
  $("editing").hidden = editing === null;
  $("text").style.height = "auto";
  $("text").style.height = $("text").scrollHeight + "px";
  $("pending").replaceChildren(...pending.map(thumbnail));
}

function thumbnail(image) {
  const thumb = element("div", "thumb");
  const picture = element("img");
  picture.src = image.url;
  picture.alt = image.name;
  const remove = button("✕", () => {
    pending = pending.filter((other) => other !== image);
    update();
    $("text").focus();
  });
  remove.setAttribute("aria-label", "Remove " + image.name);
  thumb.append(picture, remove);
  return thumb;
}

async function addFiles(files) {
  for (const file of files) {
    if (!$("files").accept.split(",").includes(file.type)) {
      showError(file.name + " is not an image that this server reads (PNG, JPEG, WebP, GIF, BMP).");
    } else if (model !== null && numImages() >= model.max_images) {
      showError("A conversation holds at most " + model.max_images + " images; " + file.name + " was left out.");
    } else {
      try {
        pending.push({ name: file.name || "image", url: await read(file, model?.image_px ?? 1024) });
      } catch {
        showError(file.name + " cannot be read.");
      }
    }
  }
  update();
  $("text").focus();
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running && !$("send").disabled) ask();
});
$("text").addEventListener("input", update);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
$("stop").addEventListener("click", () => running.abort());
$("cancel-edit").addEventListener("click", stopEditing);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (running) running.abort();
  else if (editing !== null) stopEditing();
});
$("attach").addEventListener("click", () => $("files").click());
$("files").addEventListener("change", async () => {
  await addFiles([...$("files").files]);
  $("files").value = "";
});
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) {
    event.preventDefault();
    addFiles(files);
  }
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  addFiles([...event.dataTransfer.files]);
});
$("new").addEventListener("click", () => {
  cut(0);
  stopEditing();
  showError("");
  keep();
  $("text").focus();
});
$("settings-button").addEventListener("click", () => {
  $("settings").hidden = !$("settings").hidden;
  $("settings-button").setAttribute("aria-expanded", String(!$("settings").hidden));
});
$("settings").addEventListener("change", keep);
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  rememberKey($("key").value);
  connect();
});
$("error").lastElementChild.addEventListener("click", () => showError(""));

async function restore() {
  const kept = await load();
  if (!kept) return;
  $("temperature").value = kept.settings.temperature;
  $("max-tokens").value = kept.settings.maxTokens;
  $("system").value = kept.settings.system;
  turns = kept.turns.filter((turn) => turn.role === "user" || turn.text);
  // A question whose answer never began goes back to the composer.
  const open = turns.at(-1)?.role === "user" ? turns.pop() : null;
  turns.forEach(showTurn);
  if (open) {
    $("text").value = open.text;
    pending = open.images.map((url, k) => ({ name: "image " + (k + 1), url }));
  }
  update();
  scrollToEnd();
}

update();
await connect();
await restore();
