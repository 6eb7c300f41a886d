// The page's parts are put together in the order of `qa.page.frame.SCRIPTS` and run as one function, with Gradio's
// `element` (the root of frame.html), `server` (the Python functions) and `upload`.

const root = element.querySelector(".bq");
const one = (selector, within = root) => within.querySelector(selector);
const all = (selector, within = root) => [...within.querySelectorAll(selector)];
const narrow = window.matchMedia("(max-width: 60rem)");
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

let texts = {};
let language = "en";
// Until `begin` has answered.
let limits = { chars: 2000, bytes: 0, files: 1, window: 3000, step: 8000 };

const say = (key, values = {}) =>
  (texts[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

// Makes an element: make("p", { class: "bq-small", text: "…" }, child, child).
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function icon(name) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#bq-i-${name}`);
  made.append(use);
  return made;
}

function iconButton(name, action, label, more = {}) {
  const button = make("button", { type: "button", class: "bq-icon", "data-do": action, "aria-label": label, title: label, ...more });
  button.append(icon(name));
  return button;
}

// Tells a screen reader. The same words twice are said twice.
function announce(message) {
  const region = one('.bq-hidden[role="status"]');
  region.textContent = "";
  window.setTimeout(() => { region.textContent = message; }, 50);
}

function showError(message) {
  one(".bq-error").textContent = message ?? "";
}

// Whether the session has ended; the chat is kept and is there again after the login.
async function loggedOut() {
  try {
    return (await fetch("api/health")).status === 401;
  } catch {
    return false;
  }
}

// Calls a Python function. Never throws: what fails is { error: message }.
async function call(name, data) {
  try {
    const reply = await server[name](data);
    if (reply) return reply;
  } catch { /* said below */ }
  if (await loggedOut()) window.location.assign("login?next=/");
  return { error: say("error_connection") || "The page's server does not answer." };
}

async function copyText(content) {
  try {
    await navigator.clipboard.writeText(content);
    return true;
  } catch {
    const focused = document.activeElement;
    const area = make("textarea", { class: "bq-hidden", "aria-hidden": "true" });
    area.value = content;
    root.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus({ preventScroll: true });
    return done;
  }
}

function applyTexts() {
  document.documentElement.lang = language;
  for (const item of all("[data-text]")) item.textContent = say(item.dataset.text);
  for (const item of all("[data-label]")) {
    item.setAttribute("aria-label", say(item.dataset.label));
    if (item.matches("button")) item.title = say(item.dataset.label);
  }
  for (const item of all("[data-hint]")) item.placeholder = say(item.dataset.hint);
}
