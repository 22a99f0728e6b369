// Requests to the server: its models, answers as they are generated, and Markdown as HTML.

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function rememberKey(key) {
  sessionStorage.setItem("key", key);
}

export function hasKey() {
  return sessionStorage.getItem("key") !== null;
}

function headers() {
  const key = sessionStorage.getItem("key");
  return { "Content-Type": "application/json", ...(key ? { Authorization: "Bearer " + key } : {}) };
}

async function checked(response) {
  if (response.ok) return response;
  let message = "The server answered with status " + response.status + ".";
  try {
    message = (await response.json()).error.message;
  } catch {}  // not an error object of the server
  throw new ServerError(response.status, message);
}

export async function health() {
  return (await fetch("health")).json();
}

// The model's name and limits.
export async function model() {
  const response = await checked(await fetch("v1/models", { headers: headers() }));
  return (await response.json()).data[0];
}

export async function render(text) {
  const response = await checked(
    await fetch("render", { method: "POST", headers: headers(), body: JSON.stringify({ text }) })
  );
  return (await response.json()).html;
}

// Chunks of an answer, up to its [DONE].
export async function* chunks(request, signal) {
  const body = JSON.stringify({ ...request, stream: true });
  const response = await checked(
    await fetch("v1/chat/completions", { method: "POST", headers: headers(), body, signal })
  );
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The connection was cut.");
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new Error(chunk.error.message);
      yield chunk;
    }
  }
}
