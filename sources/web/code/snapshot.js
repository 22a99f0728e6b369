// What is visible of a page in its viewport: a tree of elements with the styles that a browser would not give them anyway,
// the words with their places, and the places of pictures. Runs in an isolated world, where the page's scripts have
// changed no prototype. `defaults` are the styles of bare elements (`readDefaults`); all else is read, nothing written.
((task, defaults, limits) => {
  // Forms and documents give their named parts in place of their own properties (`<input name="childNodes">`).
  const getter = (type, name) => { const { get } = Object.getOwnPropertyDescriptor(type.prototype, name); return (object) => get.call(object); };
  const method = (type, name) => { const { value } = Object.getOwnPropertyDescriptor(type.prototype, name); return (object, ...given) => value.apply(object, given); };
  const childNodesOf = getter(Node, "childNodes"), nodeTypeOf = getter(Node, "nodeType"), parentOf = getter(Node, "parentElement");
  const localNameOf = getter(Element, "localName"), openShadowOf = getter(Element, "shadowRoot"), assignedSlotOf = getter(Element, "assignedSlot");
  const shadowRootOf = (element) => openShadowOf(element) ?? globalThis.closedRoots?.get(element) ?? null; // (closed_roots.py)
  const firstElementOf = getter(Element, "firstElementChild"), rectOf = method(Element, "getBoundingClientRect");
  const attributeOf = method(Element, "getAttribute"), hasAttribute = method(Element, "hasAttribute");
  const styleMapOf = method(Element, "computedStyleMap"), closestOf = method(Element, "closest");
  const isRendered = method(Element, "checkVisibility"); // false in `content-visibility: hidden`, as closed details have it
  const rootOf = getter(Document, "documentElement"), createRange = method(Document, "createRange"), titleOf = getter(Document, "title");
  const INHERITED = ["color", "font-family", "font-size", "font-weight", "font-style", "font-variant-caps", "line-height",
    "letter-spacing", "word-spacing", "text-align", "text-transform", "text-indent", "white-space", "word-break",
    "overflow-wrap", "direction", "list-style-type", "list-style-position", "border-collapse", "border-spacing",
    "caption-side", "color-scheme", "-webkit-text-fill-color"];
  const SIDES = ["top", "right", "bottom", "left"];
  const CORNERS = ["top-left", "top-right", "bottom-right", "bottom-left"];
  const OWN = ["display", "position", "float", "clear", "box-sizing", "background-color", "background-image", "opacity",
    "overflow-x", "overflow-y", "z-index", "transform", "box-shadow", "text-decoration-line", "text-overflow",
    "table-layout", "column-count", "aspect-ratio", "appearance", "writing-mode", "text-decoration-color", "mix-blend-mode",
    "background-size", "background-position", "background-repeat", "background-clip", "-webkit-line-clamp",
    ...SIDES.flatMap((side) => [`border-${side}-width`, `border-${side}-style`, `border-${side}-color`]),
    ...CORNERS.map((corner) => `border-${corner}-radius`)];
  // `getComputedStyle` gives these as the pixels they came to; the style map as they were meant (auto, 50%, 1fr).
  const MEANT = ["width", "height", "min-width", "max-width", "min-height", "max-height", "column-gap", "vertical-align",
    ...SIDES.flatMap((side) => [`margin-${side}`, `padding-${side}`])];
  // Those that do something in some places only: reading a style takes most of the time. The second list is meant.
  const FLEX_ITEM = [["flex-grow", "flex-shrink"], ["flex-basis"]];
  const GRID_ITEM = [["grid-column-start", "grid-column-end", "grid-row-start", "grid-row-end"], []];
  const ITEM = [["order", "align-self", "justify-self"], []];
  const CONTAINER = [["flex-direction", "flex-wrap", "justify-content", "align-items", "align-content", "justify-items"], ["row-gap"]];
  const GRID = [["grid-auto-flow", "grid-template-areas"],
    ["grid-template-columns", "grid-template-rows", "grid-auto-columns", "grid-auto-rows"]];
  const PLACED = [[], SIDES];
  const GROUPS = [SIDES.map((side) => `margin-${side}`), SIDES.map((side) => `padding-${side}`),
    CORNERS.map((corner) => `border-${corner}-radius`),
    SIDES.flatMap((side) => [`border-${side}-width`, `border-${side}-style`, `border-${side}-color`]),
    ["flex-grow", "flex-shrink", "flex-basis"], ["overflow-x", "overflow-y"]];
  const UNWRITTEN = new Set([...INHERITED, "visibility", "seen"]); // with what is each element's own
  const EM_MARGINS = ["margin-top", "margin-bottom"]; // of paragraphs, headings, lists: so many times their font size
  const KEPT = new Set(("a abbr article aside b blockquote body button caption cite code dd del dfn div dl dt em fieldset " +
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html i input ins kbd label legend li main mark menu meter nav " +
    "ol optgroup option p pre progress q s samp search section select small span strong sub sup table tbody td textarea tfoot " +
    "th thead time tr u ul var").split(" "));
  const DROPPED = new Set(("script style noscript template link meta title head base param source track datalist map area " +
    "colgroup col wbr rp").split(" "));
  const PICTURES = new Set("img svg canvas video iframe frame object embed audio".split(" "));
  const MONOSPACED = new Set(["pre", "code", "kbd", "samp"]); // whose size depends on where their font comes from
  const VOID = new Set(["input", "hr", "br"]);
  const WRITTEN = /[^ \t\n\r\f]/; // a no-break space counts
  const LEVEL = /^(inline|contents|ruby)/;

  // The lists of properties that count for an element in its parent; all of them without a parent.
  function listsFor(style, outer) {
    if (!outer) return [FLEX_ITEM, GRID_ITEM, ITEM, CONTAINER, GRID, PLACED];
    const lists = [];
    const { display } = style;
    if (/flex|grid/.test(outer.display)) lists.push(ITEM, /flex/.test(outer.display) ? FLEX_ITEM : GRID_ITEM);
    if (/flex|grid/.test(display)) lists.push(CONTAINER);
    if (/grid/.test(display)) lists.push(GRID);
    if (style.position !== "static") lists.push(PLACED);
    return lists;
  }

  function styleOf(element, pseudo, outer) {
    const style = getComputedStyle(element, pseudo);
    const values = { visibility: style.visibility };
    const meant = pseudo ? null : styleMapOf(element);
    const readMeant = (name) => { values[name] = String(meant ? meant.get(name) : style.getPropertyValue(name)); };
    for (const name of INHERITED) values[name] = style.getPropertyValue(name);
    for (const name of OWN) values[name] = style.getPropertyValue(name);
    for (const name of MEANT) readMeant(name);
    for (const [own, sizes] of listsFor(style, outer)) {
      for (const name of own) values[name] = style.getPropertyValue(name);
      for (const name of sizes) readMeant(name);
    }
    const isDark = /dark/.test(values["color-scheme"]) && (!/light/.test(values["color-scheme"]) || matchMedia("(prefers-color-scheme: dark)").matches);
    values["color-scheme"] = isDark ? "dark" : "normal";
    if (values["-webkit-text-fill-color"] === values.color) values["-webkit-text-fill-color"] = "currentcolor";
    if (values["background-image"] === "none") for (const part of ["size", "position", "repeat"]) values[`background-${part}`] = "";
    const isFilled = values["background-image"] !== "none" || values["background-color"] !== "rgba(0, 0, 0, 0)";
    if (!isFilled || /^border-box(, border-box)*$/.test(values["background-clip"])) values["background-clip"] = ""; // as without it
    if (values["text-align"] === "start") values["text-align"] = values.direction === "rtl" ? "right" : "left";
    return { values, style };
  }

  function kindOf(tag, element) {
    return tag === "input" ? `input:${element.type}` : tag;
  }

  function readDefaults() {
    const parent = document.createElement("div"); // nothing a browser would choose itself
    parent.style.cssText = "color:#010203;font:italic 300 16px/7px fantasy;letter-spacing:3px;word-spacing:5px;text-align:right;" +
      "text-transform:uppercase;text-indent:3px;white-space:pre-line;list-style:square inside;border-collapse:collapse;" +
      "border-spacing:9px;word-break:break-all;overflow-wrap:anywhere;caption-side:bottom";
    document.body.append(parent);
    const outer = styleOf(parent).values;
    const found = { ":root": styleOf(rootOf(document)).values };
    const types = "text search email password number tel url date checkbox radio submit button reset range color file image " +
      "datetime-local month week time hidden";
    const kinds = [...KEPT].filter((tag) => tag !== "input").map((tag) => [tag, null])
      .concat(types.split(" ").map((type) => ["input", type]));
    for (const [tag, type] of kinds) {
      const element = document.createElement(tag);
      if (type) element.type = type;
      if (tag === "a") element.href = "#";
      parent.append(element);
      const { values } = styleOf(element);
      const given = {};
      for (const name of INHERITED) if (values[name] !== outer[name]) given[name] = values[name];
      for (const name of Object.keys(values)) if (!INHERITED.includes(name)) given[name] = values[name];
      found[kindOf(tag, element)] = given;
      element.remove();
    }
    const field = document.createElement("input");
    field.placeholder = "x";
    document.body.append(field);
    found[":placeholder"] = getComputedStyle(field, "::placeholder").color;
    field.remove();
    parent.remove();
    for (const [kind, given] of Object.entries(found)) { // most is as in a div, and is not said again
      if (kind === "div" || kind.startsWith(":")) continue;
      for (const name of Object.keys(given)) if (given[name] === found.div[name]) delete given[name];
    }
    return found;
  }

  const bareStyles = new Map();
  function bareOf(kind) {
    if (!bareStyles.has(kind)) bareStyles.set(kind, { ...defaults.div, ...defaults[kind] });
    return bareStyles.get(kind);
  }

  const started = performance.now();
  const WIDTH = innerWidth, HEIGHT = limits.height ?? innerHeight;
  const words = [], images = [], generated = [];
  let numVisited = 0, numNodes = 0, numChars = 0;

  class Refused extends Error {}

  function spend() {
    numVisited += 1;
    if (performance.now() - started > limits.milliseconds) throw new Refused("timeout");
  }

  const boxOf = (rect) => [rect.left, rect.top, rect.right, rect.bottom];
  const meet = (a, b) => [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
  const isEmpty = (box) => box[2] - box[0] < 0.5 || box[3] - box[1] < 0.5;

  const families = new Set();

  // In a window without fonts of a page: those of the families in use that are not installed: text in them is as wide as in whatever else is asked for.
  function absentFamilies(names) {
    const width = (font) => { pencil.font = `40px ${font}`; return pencil.measureText("mmwwWWii10QR@").width; };
    return names.filter((name) => ["serif", "monospace"].every((other) => width(`"${name}", ${other}`) === width(other)));
  }
  function familiesInUse() {
    const names = [...families].slice(0, 50).flatMap((list) => [...list.matchAll(/"([^"]*)"|'([^']*)'|([^,"']+)/g)].map((found) => (found[1] ?? found[2] ?? found[3]).trim()));
    return [...new Set(names)].filter((name) => /^[\w .&-]+$/.test(name)).slice(0, 200);
  }
  // The elements as a parser has built them: `(div(p)(p))`.
  const shapeOf = (element) => `(${localNameOf(element)}${[...childrenOf(element)].filter((child) => nodeTypeOf(child) === Node.ELEMENT_NODE && !DROPPED.has(localNameOf(child))).map(shapeOf).join("")})`;

  // What an element has that a bare one in its parent would not have.
  function differing(values, kind, outer) {
    const bare = bareOf(kind);
    const tag = kind.split(":")[0];
    const size = parseFloat(values["font-size"]);
    const given = {};
    for (const name of INHERITED) {
      let expected = name in bare ? bare[name] : outer[name];
      if (name === "font-size" && name in bare && /^(h[1-6]|small|sub|sup)$/.test(tag)) {
        expected = `${parseFloat(bare[name]) / 16 * parseFloat(outer[name])}px`;
        if (Math.abs(parseFloat(expected) - size) < 0.02) continue;
      }
      // Where its parent says nothing, a header cell is centred.
      if (name === "text-align" && tag === "th" && outer[name] === (outer.direction === "rtl" ? "right" : "left")) expected = "center";
      if (values[name] !== expected || (name === "font-size" && MONOSPACED.has(tag))) given[name] = values[name];
    }
    for (const name of Object.keys(values)) {
      if (UNWRITTEN.has(name)) continue;
      let expected = bare[name];
      if (EM_MARGINS.includes(name) && parseFloat(expected) && bare["font-size"] !== values["font-size"]) {
        expected = `${parseFloat(expected) / parseFloat(bare["font-size"] || "16") * size}px`;
        if (Math.abs(parseFloat(expected) - parseFloat(values[name])) < 0.02) continue;
      }
      // Colours of borders and underlines follow the text's.
      if ((name.endsWith("-color") && name !== "background-color") && values[name] === values.color) continue;
      if (values[name] !== expected) given[name] = values[name];
    }
    // In the font that is called just "monospace" browsers make text smaller, unless its size is said.
    if ("font-family" in given) families.add(given["font-family"]);
    if ("font-family" in given && given["font-family"].endsWith("monospace")) given["font-size"] = values["font-size"];
    for (const group of GROUPS) { // written in one: all of it, or nothing
      if (group.some((name) => name in given)) for (const name of group) given[name] = values[name];
    }
    for (const name of Object.keys(given)) if (given[name].length > 400) delete given[name];
    return given;
  }

  // Blocks, as children of flexible boxes and floats are, whatever was asked for.
  function isBlockified(values, outer) {
    return /flex|grid/.test(outer.display) || values.float !== "none" || /absolute|fixed/.test(values.position);
  }

  function attributesOf(element, tag) {
    const kept = {};
    const copy = (name) => { if (hasAttribute(element, name)) kept[name] = attributeOf(element, name).slice(0, 200); };
    if (tag === "a" && hasAttribute(element, "href")) kept.href = "#";
    if (tag === "input") {
      kept.type = element.type;
      if (/^(checkbox|radio)$/.test(element.type)) { if (element.checked) kept.checked = ""; }
      else if (element.type === "password") { if (element.value) kept.value = "•".repeat(Math.min(element.value.length, 40)); }
      else if (element.value && element.type !== "hidden" && element.type !== "file") kept.value = element.value.slice(0, 200);
    }
    if (tag === "input" || tag === "textarea") { copy("placeholder"); if (element.disabled) kept.disabled = ""; }
    if (tag === "input") { copy("size"); if (element.type === "range" || element.type === "number") { copy("min"); copy("max"); } }
    if (tag === "textarea") { copy("rows"); copy("cols"); }
    if (tag === "button" && element.disabled) kept.disabled = "";
    if (tag === "option" && element.selected) kept.selected = "";
    if (tag === "td" || tag === "th") { copy("colspan"); copy("rowspan"); }
    if (tag === "progress" || tag === "meter") for (const name of ["value", "min", "max", "low", "high", "optimum"]) copy(name);
    if (tag === "ol") { copy("start"); if (element.reversed) kept.reversed = ""; }
    if (tag === "li" && hasAttribute(element, "value")) copy("value");
    for (const name of ["role", "aria-label", "lang"]) copy(name); // the language decides on fonts
    if (tag === "html") copy("dir");
    return kept;
  }

  const PIECE = /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+/g;

  // The text of a node up to the end of the viewport, and the places of its words; null if nothing of it is seen.
  function textOf(node, outer, clip) {
    const whole = node.nodeValue;
    if (!WRITTEN.test(whole)) return !whole ? null : outer["white-space"].startsWith("pre") ? whole : " ";
    const range = createRange(document);
    const bounds = (from, to) => { range.setStart(node, from); range.setEnd(node, to); return boxOf(range.getBoundingClientRect()); };
    const all = bounds(0, whole.length);
    if (isEmpty(meet(all, clip))) return null;
    let end = whole.length;
    const before = (side, limit) => { // the number of characters that begin before a limit
      let low = 0, high = end;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (bounds(middle, middle + 1)[side] < limit) low = middle + 1; else high = middle;
      }
      return Math.max(1, low);
    };
    const line = parseFloat(outer["line-height"]) || 1.2 * parseFloat(outer["font-size"]) || 20;
    const last = Math.min(HEIGHT, clip[3] + line); // a line more than is seen, so that what cuts it still cuts
    if (all[3] > last + 100) end = before(1, last);
    else if (all[2] > clip[2] + 50 && outer["white-space"] === "nowrap" && outer.direction === "ltr") end = before(0, clip[2] + 50);
    numChars += end;
    if (numChars > limits.characters) throw new Refused("too_much_text");
    const text = whole.slice(0, end);
    for (const match of text.matchAll(PIECE)) {
      const box = meet(bounds(match.index, match.index + match[0].length), clip);
      if (!isEmpty(box) && outer.seen && outer.visibility === "visible") words.push([match[0], ...box.map((x) => Math.round(x * 10) / 10), outer.color]);
    }
    return text;
  }

  function childrenOf(element) {
    const shadow = shadowRootOf(element);
    if (shadow) return childNodesOf(shadow);
    if (localNameOf(element) === "slot") {
      const assigned = element.assignedNodes();
      if (assigned.length) return assigned;
    }
    if (localNameOf(element) === "details" && !hasAttribute(element, "open")) {
      return [...childNodesOf(element)].filter((child) => nodeTypeOf(child) === Node.ELEMENT_NODE); // its text is folded
    }
    return childNodesOf(element);
  }

  function contentOf(element, style) {
    const found = /^"((?:[^"\\]|\\.)*)"/.exec(style.content);
    return found ? found[1].replace(/\\(.)/g, "$1") : null;
  }

  // A parser ends elements where others begin. What scripts have put into such a place is written as a span or a div.
  const PARAGRAPH_ENDS = new Set(("address article aside blockquote dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 " +
    "header hr li main menu nav ol p pre search section table ul").split(" "));
  const IN_TABLE = { tr: ["table", "tbody", "thead", "tfoot"], td: ["tr"], th: ["tr"], tbody: ["table"], thead: ["table"], tfoot: ["table"], caption: ["table"] };
  const ENDS = { li: ["li"], dd: ["dd", "dt"], dt: ["dd", "dt"] };
  const PASSED = new Set("address div p".split(" ")); // up to what else an item is looked for
  const INLINE = new Set("a abbr b cite code del dfn em i ins kbd label mark meter progress q s samp small span strong sub sup time u var".split(" "));
  const HEADINGS = /^h[1-6]$/;
  function closesParagraph(tag, path) {
    if (!PARAGRAPH_ENDS.has(tag)) return false;
    for (let k = path.length - 1; k >= 0; k -= 1) {
      if (path[k] === "p") return true;
      if (/^(button|table|td|th|caption|html)$/.test(path[k])) return false;
    }
    return false;
  }
  function isEnded(tag, path) { // an item ends the one before it, in whatever that is
    for (let k = path.length - 1; k >= 0; k -= 1) {
      if (ENDS[tag].includes(path[k])) return true;
      if (!PASSED.has(path[k]) && !INLINE.has(path[k])) return false;
    }
    return false;
  }
  function nestable(tag, path, isInline) {
    const parent = path.at(-1);
    const other = isInline || closesParagraph("div", path) ? "span" : "div";
    if (closesParagraph(tag, path)) return "span";
    if (tag in IN_TABLE && !IN_TABLE[tag].includes(parent)) return other;
    if (tag in ENDS && isEnded(tag, path)) return other;
    if (HEADINGS.test(tag) && HEADINGS.test(parent)) return other;
    if (/^(a|button|form)$/.test(tag)) {
      for (let k = path.length - 1; k >= 0 && !(tag === "a" && /^(td|th|caption)$/.test(path[k])); k -= 1) if (path[k] === tag) return other;
    }
    if (/^(option|optgroup)$/.test(tag) && parent !== "select") return other;
    if (tag === "body" && parent !== "html" || tag === "html" && parent) return other;
    return tag;
  }

  // Fonts of icons draw a word as one sign (`home`), or have signs where no character is assigned.
  const pencil = new OffscreenCanvas(1, 1).getContext("2d");
  function isSign(text, box, style) {
    const size = parseFloat(style.fontSize), width = box[2] - box[0];
    if (/^[\ue000-\uf8ff\u{f0000}-\u{10ffff}]+$/u.test(text)) return true;
    if (text.length < 2 || width > 1.7 * size || width > 0.42 * size * text.length || !/^[\w-]+$/.test(text)) return false;
    pencil.font = style.font;
    pencil.letterSpacing = "0px";
    const joined = pencil.measureText(text).width;
    pencil.letterSpacing = "0.01px"; // letters with space between them are not joined
    return joined < 0.6 * pencil.measureText(text).width;
  }
  function signOf(node, style, clip) {
    const text = node.nodeValue.trim();
    if (!text || text.length > 40) return null;
    const range = createRange(document);
    range.selectNodeContents(node);
    const box = boxOf(range.getBoundingClientRect());
    if (isEmpty(meet(box, clip)) || !isSign(text, box, style)) return null;
    images.push(meet(box, clip));
    numNodes += 1;
    const given = { display: "inline-block", width: `${box[2] - box[0]}px`, height: `${box[3] - box[1]}px`, "vertical-align": "text-bottom" };
    return { tag: "span", style: given, attributes: { role: "img" }, name: "icon", box, inline: true, picture: true, children: [] };
  }

  function pseudoOf(element, pseudo, outer) {
    const probe = getComputedStyle(element, pseudo);
    if (probe.content === "none" || probe.content === "normal" || probe.display === "none" || probe.visibility !== "visible") return null;
    const text = contentOf(element, probe);
    if (text === null) return null;
    const { values } = styleOf(element, pseudo, outer);
    const isSeen = text.trim() || values["background-color"] !== "rgba(0, 0, 0, 0)" || values["background-image"] !== "none" ||
      SIDES.some((side) => parseFloat(values[`border-${side}-width`]) > 0);
    if (!isSeen) return null;
    const given = differing(values, "span", outer);
    if (isBlockified(values, outer) && given.display === "block") delete given.display;
    if (given.display === undefined && !isBlockified(values, outer)) { delete given.width; delete given.height; }
    numNodes += 1;
    for (const [piece] of text.matchAll(PIECE)) generated.push(piece);
    return { tag: "span", style: given, attributes: {}, name: "", box: null, inline: LEVEL.test(values.display), children: text ? [text] : [] };
  }

  // A box as large as an element is, in its place, with nothing in it.
  function placeholder(values, box, outer, attributes, path) {
    const given = differing(values, "div", outer);
    for (const name of Object.keys(given)) if (INHERITED.includes(name) || name.startsWith("padding-")) delete given[name];
    for (const name of ["background-image", "background-color", "overflow-x", "overflow-y", "max-width", "max-height",
      "min-width", "min-height", "appearance", "aspect-ratio", "flex-basis", "text-decoration-line"]) delete given[name];
    const isInline = LEVEL.test(values.display) && !isBlockified(values, outer);
    delete given.display;
    if (isInline) given.display = "inline-block";
    given["box-sizing"] = "border-box";
    given.width = `${box[2] - box[0]}px`;
    given.height = `${box[3] - box[1]}px`;
    if (/flex/.test(outer.display)) Object.assign(given, { "flex-grow": "0", "flex-shrink": "0", "flex-basis": "auto" });
    const tag = isInline || closesParagraph("div", path) ? "span" : "div";
    if (tag === "span" && !isInline) given.display = values.display === "none" ? "block" : /^(block|flex|grid|flow-root|list-item|table)$/.test(values.display) ? "block" : "inline-block";
    if (tag === "span" && isBlockified(values, outer)) delete given.display;
    numNodes += 1;
    return { tag, style: given, attributes, name: "", box, inline: isInline, children: [] };
  }

  function pictureOf(element, values, box, outer, path) {
    images.push(meet(box, [0, 0, WIDTH, HEIGHT]));
    const attributes = { role: "img" };
    const label = attributeOf(element, "alt") || attributeOf(element, "aria-label");
    if (label) attributes["aria-label"] = label.slice(0, 100);
    return { ...placeholder(values, box, outer, attributes, path), name: "img", picture: true };
  }

  const isOutside = (box) => box[1] >= HEIGHT || box[0] >= WIDTH || box[3] <= 0 || box[2] <= 0;

  function read(element, outer, clip, depth, path) {
    spend();
    let tag = localNameOf(element);
    if (DROPPED.has(tag)) return null;
    if (tag === "br") return { tag: "br", style: {}, attributes: {}, name: "", box: null, inline: true, children: [] };
    const probe = getComputedStyle(element);
    if (probe.display === "none" || (probe.display !== "contents" && !isRendered(element))) return null;
    const box = boxOf(rectOf(element));
    const isFree = /absolute|fixed/.test(probe.position);
    if (isFree && isEmpty([box[0], box[1], Math.max(box[2], box[0] + 0.1), box[3]]) && !firstElementOf(element)) return null;
    const isZero = box[3] - box[1] < 0.5 || box[2] - box[0] < 0.5;
    // Content behind the viewport's end does not move what stands before; content before its beginning does.
    if (!isZero && isOutside(box) && (isFree || box[1] >= HEIGHT || box[0] >= WIDTH)) return "removed";
    if (isFree && box[2] - box[0] <= 1 && box[3] - box[1] <= 1 && probe["overflow-x"] !== "visible") return null;
    if (numNodes >= limits.nodes) throw new Refused("too_many_nodes");
    if (PICTURES.has(tag) || (tag === "input" && element.type === "image")) {
      if (isZero || probe.visibility !== "visible") return null;
      return pictureOf(element, styleOf(element, null, outer).values, box, outer, path);
    }
    if (depth > limits.depth) throw new Refused("too_deep");
    const { values, style } = styleOf(element, null, outer);
    const wasInline = LEVEL.test(values.display);
    if (tag === "input" && element.type === "hidden") return null;
    if (!KEPT.has(tag)) tag = wasInline ? "span" : "div";
    tag = nestable(tag, path, wasInline);
    const kind = kindOf(tag, element);
    numNodes += 1;
    const isHidden = values.visibility !== "visible" || parseFloat(values.opacity) < 0.05;
    const node = { tag, style: differing(values, kind, outer), attributes: attributesOf(element, tag), box,
      name: String(attributeOf(element, "class") || "").trim().split(/\s+/)[0].slice(0, 40), inline: wasInline, children: [] };
    const given = node.style;
    if (/^(input|textarea)$/.test(tag) && hasAttribute(element, "placeholder") && !element.value) {
      const { color } = getComputedStyle(element, "::placeholder");
      if (color !== defaults[":placeholder"]) node.placeholder = color;
    }
    if (values["-webkit-line-clamp"] !== "none") Object.assign(given, { display: "-webkit-box", "-webkit-box-orient": "vertical" });
    if (/^url|[ ,]url\(|image-set|paint\(|element\(|cross-fade/.test(values["background-image"])) {
      delete given["background-image"];
      if (!isZero && !isHidden) node.backdrop = true;
    }
    if (isBlockified(values, outer) && given.display === "block" && /^inline/.test(bareOf(kind).display)) delete given.display;
    values.seen = outer.seen && parseFloat(values.opacity) >= 0.05;
    if (isFree && !values.seen) return null;
    if (values.visibility !== outer.visibility) given.visibility = values.visibility;
    const numSeen = words.length + images.length;
    const inside = values["overflow-x"] === "visible" && values["overflow-y"] === "visible" ? clip : meet(clip, box);
    let isCut = false;
    if (tag === "select") {
      const chosen = element.selectedOptions && element.selectedOptions[0];
      if (chosen) node.children.push({ tag: "option", style: {}, attributes: {}, name: "", box: null, inline: false, children: [chosen.text.slice(0, 200)] });
      given.width = style.width; // its other options were wider
    } else if (tag === "textarea") {
      node.children.push(element.value.slice(0, 2000));
      given.width = style.width; given.height = style.height;
    } else if (style.contentVisibility !== "hidden" && !VOID.has(tag) && tag !== "progress" && tag !== "meter") {
      const before = pseudoOf(element, "::before", values);
      if (before) node.children.push(before);
      let numRemoved = 0;
      for (const child of childrenOf(element)) {
        if (nodeTypeOf(child) === Node.TEXT_NODE) {
          const sign = values.seen && signOf(child, style, inside);
          if (sign) { node.children.push(sign); continue; }
          const text = textOf(child, values, inside);
          if (text !== null) node.children.push(text); else if (WRITTEN.test(child.nodeValue)) isCut = true;
        } else if (nodeTypeOf(child) === Node.ELEMENT_NODE) {
          const made = read(child, values.display === "contents" ? { ...values, display: outer.display } : values, inside, depth + 1, values.display === "contents" ? path : [...path, tag]);
          if (made === "removed") { isCut = true; numRemoved += 1; if (numVisited > limits.visited) break; }
          else if (made) {
            if (made.isCut) isCut = true;
            if (made.contents) node.children.push(...made.children); else node.children.push(made);
          }
        }
      }
      const after = pseudoOf(element, "::after", values);
      if (after) node.children.push(after);
      const ending = getComputedStyle(element, "::after");
      if (ending.content !== "none" && ending.clear !== "none" && values.display === "block") given.display = "flow-root";
    }
    if (values.display === "contents") return { contents: true, isCut, children: node.children };
    if (isHidden && tag !== "body" && words.length + images.length === numSeen) {
      return placeholder(values, box, outer, {}, path); // unseen with all it holds, but its place is kept
    }
    if (isCut && box[3] > HEIGHT) {
      node.isCut = true;
      // What was taken away held this open: as wide and as high as it was, where that can be seen.
      if (!wasInline && !/^table-(row|header|footer)/.test(values.display) && tag !== "html") {
        const isSeen = values["background-color"] !== "rgba(0, 0, 0, 0)" || values["background-image"] !== "none" ||
          values["box-shadow"] !== "none" || SIDES.some((side) => parseFloat(values[`border-${side}-width`]) > 0) ||
          /flex|grid/.test(values.display);
        if (isSeen && tag !== "body") given[values.display === "table" || values.display === "table-cell" ? "height" : "min-height"] = `${Math.min(parseFloat(style.height), 2 * HEIGHT)}px`;
      }
      if (values.display === "table") given.width = style.width;
    }
    if (values.display === "table-cell" && isCutTable(element)) given.width = style.width;
    if (isFree && isEmpty(box) && node.children.length === 0) return null;
    return node;
  }

  // Columns of a table whose later rows are not shown keep the widths that those gave them.
  function isCutTable(cell) {
    const table = closestOf(cell, "table");
    return table !== null && rectOf(table).bottom > HEIGHT && parentOf(cell) === table.rows[0];
  }

  // The words alone, of a document that is ours: of styles, only what decides on what is seen.
  function readWords(element, outer, clip) {
    spend();
    if (DROPPED.has(localNameOf(element))) return;
    const style = getComputedStyle(element);
    if (style.display === "none") return;
    const values = { visibility: style.visibility, "white-space": style.whiteSpace, color: style.color, seen: outer.seen && parseFloat(style.opacity) >= 0.05 };
    const isOpen = style.overflowX === "visible" && style.overflowY === "visible";
    const inside = isOpen ? clip : meet(clip, boxOf(rectOf(element)));
    for (const child of childrenOf(element)) {
      if (nodeTypeOf(child) === Node.TEXT_NODE) textOf(child, values, inside);
      else if (nodeTypeOf(child) === Node.ELEMENT_NODE) readWords(child, values, inside);
    }
  }

  if (task === "defaults") return JSON.stringify(readDefaults());
  if (task === "fonts") return JSON.stringify({ absent: absentFamilies(defaults.names) });
  try {
    const root = rootOf(document);
    if (task === "words") {
      readWords(root, { seen: true }, [0, 0, WIDTH, HEIGHT]);
      return JSON.stringify({ words, shape: shapeOf(root) });
    }
    const outer = { ...defaults[":root"], seen: true, visibility: "visible" };
    const tree = root ? read(root, outer, [0, 0, WIDTH, HEIGHT], 0, []) : null;
    if (!tree || tree === "removed" || tree.contents) return JSON.stringify({ refused: "nothing_visible" });
    return JSON.stringify({ tree, words, images, generated, title: titleOf(document).slice(0, 300), fonts: familiesInUse() });
  } catch (error) {
    if (error instanceof Refused) return JSON.stringify({ refused: error.message });
    throw error;
  }
})
