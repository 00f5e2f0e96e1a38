// Builds the page. Text is always set as text: nothing here, and nothing elsewhere, takes markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `props` are properties, `on…` listeners, `aria-…`, `data-…` and others attributes. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  set(node, props);
  node.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== false));
  return node;
}

/** An element of a drawing. */
export function s(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function set(node, props) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "style") Object.entries(value).forEach(([key, each]) => node.style.setProperty(key, each));
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

export const at = (id) => document.getElementById(id);

/** Set a text, only where it differs. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Make the children of `parent` those of `items`. A child is made anew only when its item differs, so
 * that what is selected, focused or pointed at stays; one with a function `renew` takes in the new item. */
export function keyed(parent, items, keyOf, make) {
  const old = parent.kept || new Map();
  const now = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    if (now.has(key)) continue;
    const sign = JSON.stringify(item);
    let row = old.get(key);
    if (row && row.sign !== sign && row.node.renew) {
      row.node.renew(item);
      row.sign = sign;
    } else if (!row || row.sign !== sign) {
      const node = make(item);
      if (row) {
        const had = row.node.contains(document.activeElement);
        if (place === row.node) place = node;
        row.node.replaceWith(node);
        if (had) (node.matches("[tabindex]") ? node : node.querySelector("[tabindex],button"))?.focus();
      }
      row = { node, sign };
    }
    now.set(key, row);
    if (place === row.node) place = place.nextSibling;
    else parent.insertBefore(row.node, place);
  }
  for (const [key, row] of old) if (now.get(key) !== row && !now.has(key)) row.node.remove();
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
  parent.kept = now;
}

/** A row of buttons of which one is chosen. */
export function choices(parent, options, chosen, choose, role = "") {
  keyed(parent, options.map(([id, text]) => ({ id, text, is: id === chosen })), (o) => o.id, (o) =>
    h("button", {
      type: "button", onclick: () => choose(o.id),
      ...(role ? { role, "aria-selected": String(o.is) } : { "aria-pressed": String(o.is) }),
    }, o.text));
}

/** What is said where there is nothing. */
export const empty = (text) => h("p", { class: "empty" }, text);
