// Lays out one flow of blocks and returns its visible characters with origin, size and font face, and its insets.
({ html, cssClass, left, top, width, height, columns, gap }) => {
  const flow = document.createElement("div");
  Object.assign(flow.style, {
    position: "absolute", left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`,
    columnCount: columns, columnGap: `${gap}px`, columnFill: "auto", overflow: "hidden",
  });
  flow.className = cssClass;
  flow.innerHTML = html;
  document.body.append(flow);
  const frame = flow.getBoundingClientRect();
  const isSeen = (r) => r.width > 0 && r.left >= frame.left - 1 && r.right <= frame.right + 1 &&
    r.top >= frame.top - 2 && r.bottom <= frame.bottom + 2;
  const context = document.createElement("canvas").getContext("2d");
  const range = document.createRange();
  const characters = [];
  let isWhole = true;
  const walker = document.createTreeWalker(flow, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.tagName === "IMG") {
        const r = node.getBoundingClientRect();
        if (isSeen(r)) characters.push(["\ufffc", r.left, r.bottom, r.height, r.width, ""]);
        else isWhole = false;
      }
      continue;
    }
    const style = getComputedStyle(node.parentElement);
    const size = parseFloat(style.fontSize);
    context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const ascent = context.measureText("x").fontBoundingBoxAscent;
    const face = `${style.fontFamily}/${parseInt(style.fontWeight) >= 600}/${style.fontStyle === "italic"}`;
    let at = 0;
    for (const character of node.data) {
      range.setStart(node, at);
      at += character.length;
      range.setEnd(node, at);
      if (!character.trim()) continue;
      const r = range.getClientRects()[0];
      if (r && isSeen(r)) characters.push([character, r.left, r.top + ascent, size, r.width, face]);
      else isWhole = false;
    }
  }
  return { characters, isWhole };
}
