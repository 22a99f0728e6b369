// Shows an answer: its text at once, and as rendered Markdown as soon as the server has rendered it.

import { render } from "./server.js";

const PAUSE_MS = 250;
const policy = window.trustedTypes?.createPolicy("answers", { createHTML: (html) => html });

export function copyButton(label, text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = label;
  button.addEventListener("click", async () => {
    button.textContent = (await copied(text())) ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

// Without TLS, browsers offer the clipboard only on this machine; elsewhere a selection is copied.
async function copied(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {}  // not permitted
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "quiet";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export class Answer {
  // `changed` is called before the height changes and returns a function for afterwards.
  constructor(changed) {
    this.element = document.createElement("div");
    this.element.className = "prose";
    this.changed = changed;
    this.text = "";
    this.shown = "";
    this.rendering = null;
    this.failed = false;
  }

  // Show a text; resolves when it is rendered. Texts that come faster than they are rendered are skipped.
  show(text) {
    this.text = text;
    if (!this.shown) this.plain();
    this.rendering ??= this.renderUntilCurrent().finally(() => (this.rendering = null));
    return this.rendering;
  }

  // Render again if that failed before.
  retry() {
    if (!this.failed) return;
    this.failed = false;
    this.shown = "";
    this.show(this.text);
  }

  plain() {
    const done = this.changed();
    const paragraph = document.createElement("p");
    paragraph.className = "plain";
    paragraph.textContent = this.text;
    this.element.replaceChildren(paragraph);
    done();
  }

  async renderUntilCurrent() {
    while (this.shown !== this.text) {
      const text = this.text;
      try {
        const html = await render(text);
        const done = this.changed();
        this.element.innerHTML = policy ? policy.createHTML(html) : html;
        this.decorate();
        done();
      } catch {
        this.plain();  // as when the server is gone or has a new key: the text itself is there
        this.failed = true;
      }
      this.shown = text;
      if (this.shown !== this.text) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  // Code can be copied; wide tables scroll by themselves.
  decorate() {
    for (const code of this.element.querySelectorAll("pre")) {
      const box = document.createElement("div");
      box.className = "block-code";
      code.replaceWith(box);
      box.append(code, copyButton("Copy", () => code.textContent));
    }
    for (const table of this.element.querySelectorAll("table")) {
      const box = document.createElement("div");
      box.className = "wide-content";
      table.replaceWith(box);
      box.append(table);
    }
  }
}
