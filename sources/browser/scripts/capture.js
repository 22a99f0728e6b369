// What is visible of one frame: words with boxes, elements, facts about the page. Boxes are CSS pixels of the frame's
// viewport; `clip` is the part of the frame that can be seen, which may end below the window (`height`). The elements of
// inner frames are left in `frameElements`, and `hasMoved()` says whether what was read is still where it was.
({ clip, height, maxWords, maxElements, maxLinks, isMain }) => {
  // Forms and documents give their named parts in place of their own properties (`<input name="title">`).
  const getter = (type, name) => { const { get } = Object.getOwnPropertyDescriptor(type.prototype, name); return (object) => get.call(object); };
  const method = (type, name) => { const { value } = Object.getOwnPropertyDescriptor(type.prototype, name); return (object, ...given) => value.apply(object, given); };
  const nodeTypeOf = getter(Node, "nodeType"), childNodesOf = getter(Node, "childNodes"), parentNodeOf = getter(Node, "parentNode");
  const parentElementOf = getter(Node, "parentElement"), textContentOf = getter(Node, "textContent"), rootOf = method(Node, "getRootNode");
  const tagOf = getter(Element, "tagName"), openShadowOf = getter(Element, "shadowRoot"), slotOf = getter(Element, "assignedSlot");
  const scrollWidthOf = getter(Element, "scrollWidth"), scrollHeightOf = getter(Element, "scrollHeight");
  const clientWidthOf = getter(Element, "clientWidth"), clientHeightOf = getter(Element, "clientHeight");
  const shadowOf = (element) => openShadowOf(element) ?? globalThis.closedRoots?.get(element) ?? null; // (closed_roots.py)
  const numChildrenOf = getter(Element, "childElementCount"), firstChildOf = getter(Element, "firstElementChild");
  const previousOf = getter(Element, "previousElementSibling"), rectOf = method(Element, "getBoundingClientRect");
  const rectsOf = method(Element, "getClientRects"), attributeOf = method(Element, "getAttribute"), hasAttribute = method(Element, "hasAttribute");
  const closestOf = method(Element, "closest"), isRendered = method(Element, "checkVisibility");
  const findIn = method(Element, "querySelector"), findAllIn = method(Element, "querySelectorAll");
  const innerText = getter(HTMLElement, "innerText"), tooltip = getter(HTMLElement, "title");
  const innerTextOf = (element) => element instanceof HTMLElement ? innerText(element) : null;
  const tooltipOf = (element) => element instanceof HTMLElement ? tooltip(element) : "";
  const find = method(Document, "querySelector"), findAll = method(Document, "querySelectorAll");
  const createElement = method(Document, "createElement"), createRange = method(Document, "createRange");
  const body = getter(Document, "body")(document), html = getter(Document, "documentElement")(document), title = getter(Document, "title")(document);
  const inEither = (name) => { const ofDocument = method(Document, name), ofShadow = method(ShadowRoot, name); return (scope, x, y) => (scope === document ? ofDocument : ofShadow)(scope, x, y); };
  const hitsOf = inEither("elementsFromPoint"), hitOf = inEither("elementFromPoint");
  const VISIBLE_HEIGHT = 0.6, VISIBLE_WIDTH = 0.95; // of a word's box, within what clips it: half a letter is another one
  const GLUE_PX = 1; // between two pieces of one word
  const SPACE = 0.12; // of a line's height: a gap as wide is a space to the eye, whatever the markup says
  const view = { x0: Math.max(0, clip.x0), y0: Math.max(0, clip.y0), x1: Math.min(innerWidth, clip.x1), y1: Math.min(height ?? innerHeight, clip.y1) };
  const meet = (a, b) => ({ x0: Math.max(a.x0, b.x0), y0: Math.max(a.y0, b.y0), x1: Math.min(a.x1, b.x1), y1: Math.min(a.y1, b.y1) });
  const isEmpty = (box) => box.x1 - box.x0 < 1 || box.y1 - box.y0 < 1;
  const boxOf = (rect) => ({ x0: rect.left, y0: rect.top, x1: rect.right, y1: rect.bottom });
  const area = (box) => Math.max(0, box.x1 - box.x0) * Math.max(0, box.y1 - box.y0);

  const pencil = createElement(document, "canvas").getContext("2d");
  const styles = new Map();
  const styleOf = (element) => {
    let style = styles.get(element);
    if (!style) styles.set(element, (style = getComputedStyle(element)));
    return style;
  };
  const parentOf = (node) => (node instanceof Element ? slotOf(node) : node.assignedSlot) ?? parentElementOf(node) ?? (parentNodeOf(node) instanceof ShadowRoot ? parentNodeOf(node).host : null);

  // The part of the viewport that an element's ancestors leave visible, and whether all of them are opaque enough.
  const shown = new Map();
  const shownOf = (element) => {
    if (!element) return { clip: view, opacity: 1 };
    let known = shown.get(element);
    if (known) return known;
    const style = styleOf(element);
    const above = shownOf(parentOf(element));
    let inner = style.position === "fixed" ? view : above.clip;
    const clips = style.overflowX !== "visible" || style.overflowY !== "visible" || style.clipPath !== "none" || /paint|strict|content/.test(style.contain);
    if (clips && style.display !== "inline" && style.display !== "contents" && element !== body && element !== html) {
      inner = meet(inner, boxOf(rectOf(element)));
    }
    if (style.clip !== "auto" && style.position === "absolute") { // the old way to hide what only screen readers say
      const edges = style.clip.match(/-?[\d.]+/g)?.map(Number) ?? [];
      if (edges.length === 4 && (edges[1] - edges[3] < 2 || edges[2] - edges[0] < 2)) inner = { x0: 0, y0: 0, x1: 0, y1: 0 };
    }
    if (style.display !== "contents" && !isRendered(element)) inner = { x0: 0, y0: 0, x1: 0, y1: 0 }; // as in a closed <details>
    known = { clip: inner, opacity: above.opacity * Number(style.opacity) };
    shown.set(element, known);
    return known;
  };

  const paints = (element) => {
    const style = styleOf(element);
    if (Number(style.opacity) < 0.3 || style.visibility !== "visible") return false;
    if (/^(IMG|VIDEO|CANVAS|IFRAME|OBJECT|EMBED|PICTURE|SVG)$/i.test(tagOf(element))) return true;
    const alpha = /rgba?\([^)]*?,\s*([\d.]+)\)$/.exec(style.backgroundColor);
    const solid = style.backgroundColor.startsWith("rgb(") || (alpha && style.backgroundColor.startsWith("rgba(") && Number(alpha[1]) > 0.3);
    return solid || style.backgroundImage !== "none";
  };
  const includes = (outer, inner) => {
    for (let node = inner; node; node = parentOf(node)) if (node === outer) return true;
    return false;
  };
  // What keeps its place in the window is in other places of the picture, which is taken without scrolling.
  let scrolled = 0;
  const stuck = new Map();
  const isStuck = (element) => {
    if (!element) return false;
    if (!stuck.has(element)) stuck.set(element, /fixed|sticky/.test(styleOf(element).position) || isStuck(parentOf(element)));
    return stuck.get(element);
  };
  // Whether an element (or its own text, which its children may cover) is seen at a point: nothing painted lies above it.
  const isOnTop = (element, x, y, isText = false) => {
    let scope = document;
    for (;;) { // into shadow trees
      const hit = hitOf(scope, x, y);
      if (hit && scrolled && isStuck(hit)) break;
      if (!hit) return styleOf(element).pointerEvents === "none";
      if (hit === element || includes(hit, element) && !shadowOf(hit)) return true;
      if (shadowOf(hit) && shadowOf(hit) !== scope && includes(hit, element)) {
        if (hitOf(shadowOf(hit), x, y) === hit) return true;
        scope = shadowOf(hit);
        continue;
      }
      break;
    }
    for (const above of hitsOf(scope, x, y)) {
      if (scrolled && isStuck(above) && !includes(above, element)) continue;
      if (above === element || includes(above, element)) return true;
      if (!isText && includes(element, above)) return true;
      if (paints(above)) return false;
    }
    return styleOf(element).pointerEvents === "none";
  };

  // What may be seen, in order; whether something covers it is asked at the end, because that may need scrolling.
  const candidates = []; // of words: separator before, text, box, place
  const STRENGTH = { "": 0, " ": 1, "\t": 2, "\n": 3, "\n\n": 4 };
  let separator = "";
  const separate = (by) => { if (STRENGTH[by] > STRENGTH[separator]) separator = by; };
  const tests = []; // of what may be covered: at which points
  const mustBeOnTop = (element, points, isText = false) => {
    const test = { element, points, isText, isSeen: true };
    tests.push(test);
    return test;
  };
  const centreOf = (box) => [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2];
  const WIDE_PX = 16; // from which on half of a word may be covered, and not its centre
  const pointsOf = (box) => {
    const at = (x, y) => [box.x0 + x * (box.x1 - box.x0), box.y0 + y * (box.y1 - box.y0)];
    return box.x1 - box.x0 < WIDE_PX ? [at(0.5, 0.3), at(0.5, 0.7)] : [at(0.15, 0.3), at(0.5, 0.5), at(0.85, 0.7)];
  };

  let source = null;
  const emit = (element, text, box) => {
    if (candidates.length >= 2 * maxWords) return;
    const { clip: bounds, opacity } = shownOf(element);
    const seen = meet(box, bounds);
    if (opacity < 0.1 || isEmpty(seen)) return;
    if (seen.x1 - seen.x0 < VISIBLE_WIDTH * (box.x1 - box.x0) || seen.y1 - seen.y0 < VISIBLE_HEIGHT * (box.y1 - box.y0)) return;
    if (isBehindEllipsis(element, seen)) return;
    candidates.push({ separator, text, seen, source, element, box, test: mustBeOnTop(element, pointsOf(seen), true) });
    separator = "";
  };

  // Where a line ends in an ellipsis, the words that it replaces are only in the document.
  const ends = new Map();
  const ellipsisOf = (element) => {
    if (!element || ends.has(element)) return ends.get(element) ?? null;
    const style = styleOf(element);
    let found = null;
    if (style.display === "inline" || style.display === "contents") found = ellipsisOf(parentOf(element));
    else {
      const lines = Number(style.webkitLineClamp) || 0;
      const isCut = style.overflowX !== "visible" && style.textOverflow === "ellipsis" && scrollWidthOf(element) > clientWidthOf(element);
      const isClamped = lines > 0 && scrollHeightOf(element) > clientHeightOf(element);
      if (isCut || isClamped) {
        const box = boxOf(rectOf(element)), px = (name) => parseFloat(style[name]) || 0;
        pencil.font = style.font;
        const width = pencil.measureText("\u2026").width;
        const bottom = box.y1 - px("borderBottomWidth") - px("paddingBottom");
        found = { x0: box.x0 + px("borderLeftWidth") + px("paddingLeft") + width, x1: box.x1 - px("borderRightWidth") - px("paddingRight") - width,
          from: isCut ? -Infinity : bottom - (parseFloat(style.lineHeight) || 1.2 * px("fontSize")), isRtl: style.direction === "rtl" };
      }
      else if (lines === 0 && /block|flow-root/.test(style.display) && style.overflowX === "visible") found = clampOf(parentOf(element));
    }
    ends.set(element, found);
    return found;
  };
  // A clamp counts the lines of the blocks inside.
  const clampOf = (element) => element && Number(styleOf(element).webkitLineClamp) > 0 ? ellipsisOf(element) : null;
  const isBehindEllipsis = (element, seen) => {
    const end = ellipsisOf(element);
    return end !== null && (seen.y0 + seen.y1) / 2 > end.from && (end.isRtl ? seen.x0 < end.x0 - 1 : seen.x1 > end.x1 + 1);
  };

  // Covers that let clicks through cannot be hit, unless they are told to take them.
  const lifted = [];
  const noteCover = (element, style) => {
    if (style.pointerEvents === "none" && paints(element)) lifted.push(element);
  };
  const probe = () => {
    const restored = lifted.map((element) => [element, element.style?.getPropertyValue("pointer-events"), element.style?.getPropertyPriority("pointer-events")]);
    for (const [element] of restored) element.style?.setProperty("pointer-events", "auto", "important");
    const queue = tests.flatMap((test) => test.points.map((point) => [point[1], point[0], test])).sort((a, b) => a[0] - b[0]);
    let last = innerHeight;
    for (const [y, x, test] of queue) {
      if (isMain && y >= last) { // a third down the window: what sticks to its edge is not stuck yet
        scrollTo({ left: 0, top: y - innerHeight / 3, behavior: "instant" });
        scrolled = scrollY;
        last = Math.max(y, scrolled + 0.9 * innerHeight);
      }
      if (test.isSeen) test.isSeen = isOnTop(test.element, x, y - scrolled, test.isText);
    }
    if (scrolled) scrollTo({ left: 0, top: 0, behavior: "instant" });
    scrolled = 0;
    for (const [element, value, priority] of restored) element.style?.setProperty("pointer-events", value, priority);
  };

  const words = []; // [text, x0, y0, x1, y1, separator before]
  const placed = []; // the words that are text of the document, and where each was found
  const joinWords = () => {
    let between = "";
    for (const { separator, text, seen, source, element, box, test } of candidates) {
      if (STRENGTH[separator] > STRENGTH[between]) between = separator;
      if (!test.isSeen || words.length >= maxWords) continue;
      if (source) placed.push({ ...source, element, x: test.points[0][0], y: test.points[0][1], left: box.x0, top: box.y0 });
      growHeading(element, seen);
      const last = words.at(-1);
      const isBeside = last && Math.min(last[4], seen.y1) - Math.max(last[2], seen.y0) > 0.5 * (seen.y1 - seen.y0);
      const gap = last ? Math.max(seen.x0 - last[3], last[1] - seen.x1) : 0;
      if (between === "" && isBeside && gap > Math.max(GLUE_PX, SPACE * (seen.y1 - seen.y0))) between = " ";
      if (between === "" && isBeside) {
        last[0] += text; // one word in two elements, as in <b>w</b>ord
        last[1] = Math.min(last[1], seen.x0); last[2] = Math.min(last[2], seen.y0);
        last[3] = Math.max(last[3], seen.x1); last[4] = Math.max(last[4], seen.y1);
        continue;
      }
      words.push([text, seen.x0, seen.y0, seen.x1, seen.y1, between]);
      between = "";
    }
  };

  const transformed = (text, style) => {
    if (style.textTransform === "uppercase") return text.toUpperCase();
    if (style.textTransform === "lowercase") return text.toLowerCase();
    if (style.textTransform === "capitalize") return text.replace(/^(\P{L}*)(\p{L})/u, (_, before, letter) => before + letter.toUpperCase());
    return text;
  };

  // Fonts of icons draw a word as one sign (`home`), or have signs where no character is assigned.
  const UNASSIGNED = /[\ue000-\uf8ff\u{f0000}-\u{10ffff}]/gu;
  const ICON_FONT = /\b(material (icons|symbols)|font ?awesome|glyphicons|ionicons|dashicons|[\w-]*icons?)\b/i;
  const icons = new Map(); // text nodes, and the words in them that are drawn as signs
  const drawnAsSign = new Map();
  const isSign = (text, width, style) => {
    const size = parseFloat(style.fontSize);
    if (text.length < 2 || width > 1.7 * size || width > 0.42 * size * text.length || !/^[\w-]+$/.test(text)) return false;
    const key = `${style.font} ${text}`;
    if (!drawnAsSign.has(key)) {
      pencil.font = style.font;
      pencil.letterSpacing = "0px";
      const joined = pencil.measureText(text).width;
      pencil.letterSpacing = "0.01px"; // letters with space between them are not joined
      const apart = pencil.measureText(text).width;
      pencil.letterSpacing = "0px";
      drawnAsSign.set(key, joined < 0.6 * apart || ICON_FONT.test(style.fontFamily) && width < 0.3 * size * text.length);
    }
    return drawnAsSign.get(key);
  };

  const range = createRange(document);
  const SHORT = 60; // characters: asking first whether any of them is in view costs more than it saves
  const readText = (node, element) => {
    const style = styleOf(element);
    if (style.visibility !== "visible" || style.fontSize === "0px") return;
    const keepsBreaks = style.whiteSpace.startsWith("pre") || style.whiteSpace === "break-spaces";
    const content = node.data;
    if (content.length > SHORT) {
      range.selectNodeContents(node);
      if (isEmpty(meet(boxOf(range.getBoundingClientRect()), view))) {
        separate(keepsBreaks && /\n/.test(content) ? "\n" : " ");
        return;
      }
    }
    for (const found of content.matchAll(/(\s+)|(\S+)/gu)) {
      if (found[1]) {
        separate(keepsBreaks && /\n/.test(found[1]) ? "\n" : " ");
        continue;
      }
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[2].length);
      let rects = range.getClientRects();
      if (rects.length > 1) rects = [...rects].filter((rect) => rect.width > 0 && rect.height > 0);
      if (!rects.length || rects[0].width === 0 || rects[0].height === 0) continue;
      const written = found[2].replace(UNASSIGNED, "");
      if (!written || rects.length === 1 && isSign(written, rects[0].width, style)) {
        icons.set(node, [...icons.get(node) ?? [], found[2]]);
        continue;
      }
      if (rects.length === 1) {
        source = { node, start: found.index, text: found[2] };
        emit(element, transformed(written, style), boxOf(rects[0]));
        continue;
      }
      // Broken over lines, as Chinese is: a piece a line.
      let piece = "", box = null, offset = found.index;
      for (const letter of found[2]) {
        range.setStart(node, offset);
        range.setEnd(node, (offset += letter.length));
        const rect = range.getBoundingClientRect();
        if (box && rect.width > 0 && (rect.top >= box.y1 - 1 || rect.bottom <= box.y0 + 1)) {
          source = { node, start: offset - letter.length - piece.length, text: piece };
          emit(element, transformed(piece, style), box);
          piece = "";
          box = null;
        }
        piece += letter;
        if (rect.width > 0) {
          box = box ? { x0: Math.min(box.x0, rect.left), y0: Math.min(box.y0, rect.top), x1: Math.max(box.x1, rect.right), y1: Math.max(box.y1, rect.bottom) } : boxOf(rect);
        }
      }
      source = { node, start: offset - piece.length, text: piece };
      if (box) emit(element, transformed(piece, style), box);
    }
    source = null;
  };

  // What a control shows is no text node: its words are placed by measuring them.
  const readControl = (element, style) => {
    let text = element.value;
    if (tagOf(element) === "SELECT") text = element.selectedOptions[0]?.label ?? "";
    else if (/^(checkbox|radio|range|color|file|hidden|image|password|date|time|month|week|datetime-local)$/.test(element.type)) return;
    text = transformed((text || element.placeholder || "").trim(), style);
    if (!text || text.includes("\n")) return;
    const box = boxOf(rectOf(element));
    const px = (name) => parseFloat(style[name]) || 0;
    const inner = { x0: box.x0 + px("borderLeftWidth") + px("paddingLeft"), x1: box.x1 - px("borderRightWidth") - px("paddingRight") };
    pencil.font = style.font;
    const width = pencil.measureText(text).width;
    if (width > inner.x1 - inner.x0 + 1) return; // cut off
    const centred = style.textAlign === "center" || /^(submit|button|reset)$/.test(element.type);
    const atEnd = style.textAlign === "right" || style.textAlign === "end" || style.direction === "rtl" && style.textAlign === "start";
    let x = centred ? (inner.x0 + inner.x1 - width) / 2 : atEnd ? inner.x1 - width : inner.x0;
    const height = Math.min(1.2 * px("fontSize"), box.y1 - box.y0);
    const middle = tagOf(element) === "TEXTAREA" ? box.y0 + px("borderTopWidth") + px("paddingTop") + height / 2 : (box.y0 + box.y1) / 2;
    for (const word of text.split(/\s+/)) {
      const wide = pencil.measureText(word).width;
      emit(element, word, { x0: x, x1: x + wide, y0: middle - height / 2, y1: middle + height / 2 });
      x += wide + pencil.measureText(" ").width;
      separate(" ");
    }
  };

  const found = []; // elements that may be seen
  const headings = new Map(); // and the box of the words in them
  const growHeading = (element, box) => {
    for (let node = element; node; node = parentOf(node)) {
      if (!headings.has(node)) continue;
      const known = headings.get(node);
      headings.set(node, known ? { x0: Math.min(known.x0, box.x0), y0: Math.min(known.y0, box.y0), x1: Math.max(known.x1, box.x1), y1: Math.max(known.y1, box.y1) } : box);
    }
  };
  const ROLES = {
    A: "link", BUTTON: "button", SELECT: "combobox", TEXTAREA: "textbox", IMG: "image", NAV: "navigation", MAIN: "main", HEADER: "banner",
    FOOTER: "contentinfo", ASIDE: "complementary", TABLE: "table", FORM: "form", SUMMARY: "button", H1: "heading", H2: "heading", H3: "heading",
    H4: "heading", H5: "heading", H6: "heading", UL: "list", OL: "list", ARTICLE: "article", VIDEO: "video", FIGURE: "figure", PROGRESS: "progressbar",
    METER: "meter", DIALOG: "dialog", SEARCH: "search",
  };
  const INPUTS = { checkbox: "checkbox", radio: "radio", range: "slider", number: "spinbutton", search: "searchbox", submit: "button", button: "button", reset: "button", image: "button" };
  const BLOCKS = new Set(["navigation", "main", "banner", "contentinfo", "complementary", "table", "form", "list", "article", "figure", "dialog", "search"]);
  const roleOf = (element) => {
    const given = attributeOf(element, "role")?.trim().split(/\s+/)[0];
    if (given === "presentation" || given === "none") return null;
    if (given) return given;
    if (tagOf(element) === "INPUT") return element.type === "hidden" ? null : INPUTS[element.type] ?? "textbox";
    if (tagOf(element) === "A" && !hasAttribute(element, "href")) return null;
    return ROLES[tagOf(element)] ?? null;
  };
  const squeeze = (text) => (text ?? "").replace(/\s+/g, " ").trim();
  const withoutSigns = (element, text) => {
    for (const [node, signs] of icons) {
      if (!includes(element, parentOf(node))) continue;
      for (const sign of signs) text = text.replace(sign, "");
    }
    return squeeze(text.replace(UNASSIGNED, ""));
  };
  const textOf = (element) => {
    const alt = [...findAllIn(element, "img[alt]")].map((image) => image.alt).join(" ");
    return withoutSigns(element, squeeze(innerTextOf(element) ?? textContentOf(element))) || squeeze(alt) || squeeze(findIn(element, "svg > title")?.textContent);
  };
  const labelText = (node) => // without what the controls inside it show
    nodeTypeOf(node) === Node.TEXT_NODE ? node.data : /^(SELECT|TEXTAREA|BUTTON)$/.test(tagOf(node)) ? "" : [...childNodesOf(node)].map(labelText).join("");
  const idIn = (root, id) => root instanceof ShadowRoot ? root.getElementById(id) : find(document, `[id="${CSS.escape(id)}"]`);
  const nameOf = (element, role) => {
    const referred = (attributeOf(element, "aria-labelledby") ?? "").split(/\s+/).filter(Boolean).map((id) => idIn(rootOf(element), id));
    const label = squeeze(referred.map((found) => found ? textContentOf(found) : "").join(" ")) || squeeze(attributeOf(element, "aria-label"));
    if (label) return label;
    if (tagOf(element) === "IMG" || element.type === "image") return squeeze(element.alt) || squeeze(tooltipOf(element));
    if (role === "button" && tagOf(element) === "INPUT") return squeeze(element.value) || (element.type === "submit" ? "Submit" : element.type === "reset" ? "Reset" : "");
    const labels = squeeze([...(/^(INPUT|SELECT|TEXTAREA|BUTTON|METER|OUTPUT|PROGRESS)$/.test(tagOf(element)) ? element.labels ?? [] : [])].map(labelText).join(" "));
    if (labels) return labels;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(tagOf(element))) return squeeze(element.placeholder) || squeeze(tooltipOf(element));
    const caption = tagOf(element) === "TABLE" ? element.caption : tagOf(element) === "FIGURE" ? findIn(element, "figcaption") : null;
    if (caption) return textOf(caption);
    if (BLOCKS.has(role)) return squeeze(tooltipOf(element));
    return textOf(element) || squeeze(tooltipOf(element));
  };
  const readElement = (element, style, rect) => {
    const role = roleOf(element);
    if (!role || found.length >= maxElements || style.visibility !== "visible" || closestOf(element, "[aria-hidden=true]")) return;
    const rects = [...rectsOf(element)];
    const box = boxOf(role === "link" && rects.length > 1 ? rects[0] : rect);
    // A link around a picture is as large as the picture, whatever its own line box says.
    const picture = role === "link" && numChildrenOf(element) === 1 && /^(img|svg)$/i.test(tagOf(firstChildOf(element))) ? boxOf(rectOf(firstChildOf(element))) : null;
    const whole = picture ? { x0: Math.min(box.x0, picture.x0), y0: Math.min(box.y0, picture.y0), x1: Math.max(box.x1, picture.x1), y1: Math.max(box.y1, picture.y1) } : box;
    const { clip: bounds, opacity } = shownOf(element);
    const seen = meet(whole, bounds);
    if (opacity < 0.1 || isEmpty(seen) || seen.x1 - seen.x0 < 3 || seen.y1 - seen.y0 < 3) return;
    const isBlock = BLOCKS.has(role);
    if (!isBlock && (area(seen) < 0.9 * area(whole) || rects.length > 1 && role === "link")) return; // cut off, or on two lines
    if (role === "heading") headings.set(element, null);
    found.push({ element, role, seen, test: isBlock ? null : mustBeOnTop(element, [centreOf(seen)]) });
  };
  const elementsFound = () => found.filter(({ test, element }) => headings.get(element) || !test || test.isSeen).map(({ element, role, seen }) => {
    const { x0, y0, x1, y1 } = headings.get(element) ?? seen; // a heading is as wide as its column, and its words are not
    return [role, nameOf(element, role).slice(0, 200), x0, y0, x1, y1];
  });

  // Overlays: fixed, and over much of the window.
  const MUCH = 0.12, HALF = 0.5; // of the window
  const covering = [];
  const noteOverlay = (element, style, rect) => {
    const isFixed = style.position === "fixed" || style.position === "sticky";
    if (!isFixed && !(style.position === "absolute" && Number(style.zIndex) > 0)) return;
    const share = area(meet(boxOf(rect), { ...view, y1: innerHeight })) / (innerWidth * innerHeight);
    if (share > (isFixed ? MUCH : HALF) && style.visibility === "visible" && shownOf(element).opacity > 0.1) covering.push({ element, share });
  };

  const frames = [];
  globalThis.frameElements = [];
  const readFrame = (element, style, rect) => {
    const x = rect.left + parseFloat(style.borderLeftWidth) + parseFloat(style.paddingLeft);
    const y = rect.top + parseFloat(style.borderTopWidth) + parseFloat(style.paddingTop);
    const seen = meet(shownOf(element).clip, { x0: x, y0: y, x1: rect.right, y1: rect.bottom });
    const isPlain = style.transform === "none" && style.visibility === "visible" && shownOf(element).opacity > 0.1;
    frameElements.push(element);
    const inside = { x0: seen.x0 - x, y0: seen.y0 - y, x1: seen.x1 - x, y1: seen.y1 - y };
    frames.push({ x, y, clip: inside, test: isPlain && !isEmpty(seen) ? mustBeOnTop(element, [centreOf(seen)]) : null });
  };

  const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "DATALIST"]);
  const UNREAD = new Set(["IFRAME", "FRAME", "OBJECT", "VIDEO", "AUDIO", "CANVAS", "METER", "PROGRESS"]);
  const breaksAround = (element, style) => {
    if (tagOf(element) === "P") return "\n\n";
    if (style.display === "table-cell") return "\t";
    if (/^(inline|contents|ruby)/.test(style.display)) return "";
    return "\n";
  };
  const childrenOf = (element) => {
    const shadow = shadowOf(element);
    if (shadow) return childNodesOf(shadow);
    const assigned = tagOf(element) === "SLOT" ? element.assignedNodes() : [];
    if (assigned.length) return assigned;
    const children = childNodesOf(element);
    if (tagOf(element) !== "DETAILS" || hasAttribute(element, "open")) return children;
    return [...children].filter((child) => nodeTypeOf(child) === Node.ELEMENT_NODE && tagOf(child) === "SUMMARY").slice(0, 1);
  };
  const walk = (element) => {
    const tag = tagOf(element);
    if (SKIPPED.has(tag)) return;
    const rect = rectOf(element);
    if (rect.top >= view.y1) { // most of a long page; what is in there may still be placed in view
      separate("\n");
      if (numChildrenOf(element) || shadowOf(element)) walkChildren(element, false);
      return;
    }
    const style = styleOf(element);
    if (style.display === "none") return;
    noteOverlay(element, style, rect);
    noteCover(element, style);
    if (tag === "IFRAME" || tag === "FRAME") readFrame(element, style, rect);
    if (UNREAD.has(tag)) return;
    if (tag === "BR") return separate("\n");
    const breaks = style.position === "absolute" || style.position === "fixed" || style.float !== "none" ? "\n" : breaksAround(element, style);
    if (breaks !== "\t" || previousOf(element)) separate(breaks);
    readElement(element, style, rect);
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(tag)) {
      separate(" ");
      if (style.visibility === "visible") readControl(element, style);
      separate(" ");
      return;
    }
    if (style.contentVisibility !== "hidden") walkChildren(element, true);
    if (breaks !== "\t") separate(breaks);
  };
  const walkChildren = (element, hasText) => {
    for (const child of childrenOf(element)) {
      const type = nodeTypeOf(child);
      if (type === Node.ELEMENT_NODE) walk(child);
      else if (hasText && type === Node.TEXT_NODE) readText(child, element);
    }
  };
  walk(body ?? html);
  probe();
  joinWords();

  // Asked after the picture was taken: is it still what was read? Covers are looked for at some words only; it is slow.
  const MOVED_PX = 1, EVERY = 8;
  const isInView = (node) => {
    if (nodeTypeOf(node) === Node.TEXT_NODE) range.selectNodeContents(node);
    else if (nodeTypeOf(node) !== Node.ELEMENT_NODE) return false;
    return !isEmpty(meet(boxOf(nodeTypeOf(node) === Node.TEXT_NODE ? range.getBoundingClientRect() : rectOf(node)), view));
  };
  const added = [];
  const watcher = new MutationObserver((records) => added.push(...records));
  watcher.observe(document, { subtree: true, childList: true });
  globalThis.hasMoved = () => {
    const isNew = [...added, ...watcher.takeRecords()].some((record) => [...record.addedNodes].some(isInView));
    watcher.disconnect();
    return isNew || placed.some(({ node, start, text, element, x, y, left, top }, k) => {
      if (node.data.slice(start, start + text.length) !== text) return true;
      if (k % EVERY === 0 && y < innerHeight && !isOnTop(element, x, y, true)) return true;
      if (placed[k - 1]?.node === node && placed[k + 1]?.node === node) return false; // between two that did not move
      range.setStart(node, start);
      range.setEnd(node, start + text.length);
      const rect = range.getBoundingClientRect();
      return Math.abs(rect.left - left) > MOVED_PX || Math.abs(rect.top - top) > MOVED_PX;
    });
  };
  const seenFrames = frames.map(({ x, y, clip, test }) => ({ x, y, clip: test?.isSeen ? clip : null }));
  const result = { words, elements: elementsFound(), frames: seenFrames };
  if (!isMain) return result;

  const meta = (name) => squeeze(find(document, `meta[name="${name}" i], meta[property="${name}" i]`)?.content);
  const links = [...new Set([...findAll(document, "a[href], area[href]")]
    .filter((link) => !/\bnofollow\b/i.test(link.rel)).map((link) => link.href.replace(/#.*$/s, "")).filter((href) => /^https?:/i.test(href)))];
  const pictures = [...findAll(document, "img[src]")].filter((image) => { const box = meet(boxOf(rectOf(image)), view); return box.x1 - box.x0 >= 16 && box.y1 - box.y0 >= 16 && isRendered(image); });
  const licences = [...findAll(document, "[rel~=license i][href]")].map((link) => link.href);
  return {
    ...result,
    title: squeeze(title),
    description: meta("description") || meta("og:description"),
    language: squeeze(html.lang).toLowerCase(),
    canonical: find(document, "link[rel~=canonical][href]")?.href ?? "",
    robots: [...findAll(document, "meta[name]")].filter((tag) => /^(robots|.*bot|vellum)$/i.test(tag.name)).map((tag) => /^robots$/i.test(tag.name) ? tag.content : `${tag.name}: ${tag.content}`),
    reservations: [...findAll(document, 'meta[name="tdm-reservation" i]')].map((tag) => tag.content),
    licences: [...new Set(licences)].slice(0, 20),
    links: find(document, 'meta[name="robots" i][content*="nofollow" i]') ? [] : links.slice(0, maxLinks),
    height: html.scrollHeight,
    facts: {
      num_canvases: findAll(document, "canvas").length,
      num_passwords: findAll(document, "input[type=password]").length,
      overlay_share: Math.max(0, ...covering.map(({ share }) => share)),
      overlay_boxes: covering.map(({ element }) => boxOf(rectOf(element))).map(({ x0, y0, x1, y1 }) => [x0, y0, x1, y1]).slice(0, 20),
      num_pictures: pictures.length,
      num_broken_pictures: pictures.filter((image) => image.complete && image.naturalWidth === 0).length,
      is_paid: [...findAll(document, 'script[type="application/ld+json"]')].some((script) => /"isAccessibleForFree"\s*:\s*"?false/i.test(textContentOf(script))) ||
        /^(locked|metered)$/i.test(meta("article:content_tier")),
      overlay_text: squeeze(covering.map(({ element }) => innerTextOf(element) ?? "").join(" ")).slice(0, 2000),
      frame_hosts: [...findAll(document, "iframe[src]")].map((frame) => { try { return new URL(frame.src).host + new URL(frame.src).pathname; } catch { return ""; } }).slice(0, 50),
    },
  };
}
