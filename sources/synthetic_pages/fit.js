// Returns the fault of a page, null if there is none: text must fit its window and its box, must not overlap other text,
// and must have contrast with its background.
({ minContrast }) => {
  const root = document.scrollingElement;
  if (root.scrollHeight > innerHeight) return "too_high";
  if (root.scrollWidth > innerWidth) return "too_wide";
  const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (a, b) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
  const behind = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const colour = channels(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const boxes = [];
  const range = document.createRange();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim()) continue;
    const element = node.parentElement;
    if (element.tagName === "OPTION") continue;
    if (contrast(channels(getComputedStyle(element).color), behind(element)) < minContrast) return "low_contrast";
    range.selectNodeContents(node);
    const around = (element.closest("td, th, button, .card, .bubble, li, header, footer, nav") ?? document.body).getBoundingClientRect();
    for (const rect of range.getClientRects()) {
      if (rect.width < 1) continue;
      if (rect.left < -0.5 || rect.right > innerWidth + 0.5) return "cut_off";
      if (rect.left < around.left - 1 || rect.right > around.right + 1 || rect.bottom > around.bottom + 3) return "overflow";
      boxes.push([rect.left + 1, rect.top + 3, rect.right - 1, rect.bottom - 3]);
    }
  }
  for (const input of document.querySelectorAll("input, textarea")) if (input.scrollWidth > input.clientWidth + 1) return "overflow";
  for (const control of document.querySelectorAll("input, select, textarea, button, [role=img]")) {
    const rect = control.getBoundingClientRect();
    if (rect.width < 6 || rect.right > innerWidth) return "cut_off";
    if (control.tagName !== "BUTTON") boxes.push([rect.left + 1, rect.top + 3, rect.right - 1, rect.bottom - 3]);
  }
  for (let i = 0; i < boxes.length; i++) {
    for (let k = i + 1; k < boxes.length; k++) {
      const [a, b] = [boxes[i], boxes[k]];
      if (a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]) return "overlap";
    }
  }
  return null;
}
