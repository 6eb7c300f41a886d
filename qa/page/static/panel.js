// The panel beside the chat (on a phone: over it) holds one of three things: a document at a quote, the documents,
// or the earlier chats. Focus moves in when it opens and back when it closes.

const panel = one(".bq-panel");
const panelBody = one(".bq-panel-body");
let panelKind = "";
let returnTo = null;
let opened = null; // the place that is open: { document, start, end, meant, answer_start, answer_end, before, after }
let steps = []; // the quotes of the answer from which it was opened
let stepsOf = null; // the turn of that answer
let ownEntry = false; // whether the browser's history has an entry of ours to go back over

function placeOf(link) {
  const values = new URL(link, window.location.href).searchParams;
  const whole = (name) => Math.max(0, Math.trunc(Number(values.get(name))) || 0);
  const place = { document: values.get("document"), start: whole("start"), end: whole("end") };
  const answer = /^(\d+)-(\d+)$/.exec(values.get("answer") ?? "");
  if (answer) Object.assign(place, { answer_start: Number(answer[1]), answer_end: Number(answer[2]) });
  if (values.get("is")) place.meant = values.get("is");
  return place.document ? place : null;
}

function addressOf(place) {
  const values = new URLSearchParams({ document: place.document, start: place.start, end: place.end });
  if (place.answer_start !== undefined) values.set("answer", `${place.answer_start}-${place.answer_end}`);
  if (place.meant) values.set("is", place.meant);
  return `?${values}`;
}

const samePlace = (a, b) =>
  a && b && a.document === b.document && a.start === b.start && a.end === b.end && a.meant === b.meant;
const numbersOf = (turn) => (turn && itemOf(turn) ? all(".bq-cite", itemOf(turn)) : []);

function showPanel(kind, title, from) {
  if (panel.hidden || from) returnTo = from ?? document.activeElement;
  panelKind = kind;
  panel.hidden = false;
  root.dataset.panel = kind;
  panel.dataset.kind = kind;
  panel.setAttribute("role", narrow.matches ? "dialog" : "region");
  panel.setAttribute("aria-label", title);
  panelBody.setAttribute("aria-label", title);
  one(".bq-bar-title").textContent = title;
  one(".bq-steps").hidden = kind !== "source" || steps.length < 2;
  for (const kindOf of ["history", "documents"]) {
    one(`.bq-tool[data-do="${kindOf}"]`).setAttribute("aria-expanded", String(kind === kindOf));
  }
  fitPanel();
}

// On a phone the panel covers the page: what lies under it cannot be reached.
function fitPanel() {
  const covers = !panel.hidden && narrow.matches;
  for (const part of [one(".bq-top"), one(".bq-main")]) part.inert = covers;
  if (!panel.hidden) panel.setAttribute("role", narrow.matches ? "dialog" : "region");
  panel.toggleAttribute("aria-modal", covers);
  if (covers) panel.setAttribute("aria-modal", "true");
}
narrow.addEventListener("change", fitPanel);

function closePanel({ historyMoved = false } = {}) {
  if (panel.hidden) return;
  const current = one(".bq-cite[aria-current]"); // of the quote that is open, perhaps by "next"
  panel.hidden = true;
  panelKind = "";
  opened = null;
  root.dataset.panel = "";
  panelBody.replaceChildren();
  for (const link of all(".bq-cite[aria-current]")) link.removeAttribute("aria-current");
  for (const tool of all(".bq-tool[aria-expanded]")) tool.setAttribute("aria-expanded", "false");
  fitPanel();
  document.title = "babelquote";
  const back = [current, returnTo].find((item) => item?.isConnected && item.checkVisibility());
  (back ?? one("textarea")).focus({ preventScroll: true });
  if (ownEntry && !historyMoved) window.history.back();
  ownEntry = false;
}

// Opens a document at a place. `turn`: whose quotes "next" and "previous" go through; by default as before, if this
// place is one of them.
async function openSource(place, { from = null, turn = null, push = true, focus = true } = {}) {
  opened = { ...place };
  if (turn) {
    stepsOf = turn;
    steps = numbersOf(turn).map((link) => placeOf(link.href));
  } else if (!steps.some((step) => samePlace(step, place))) {
    stepsOf = null;
    steps = [];
  }
  showPanel("source", say("source"), from);
  const at = steps.findIndex((step) => samePlace(step, place));
  one(".bq-step").textContent = at < 0 ? "" : say("place", { number: at + 1, total: steps.length });
  one('[data-do="previous"]').disabled = at <= 0;
  one('[data-do="next"]').disabled = at < 0 || at >= steps.length - 1;
  for (const link of all(".bq-cite[aria-current]")) link.removeAttribute("aria-current");
  for (const link of numbersOf(stepsOf)) {
    if (samePlace(placeOf(link.href), place)) link.setAttribute("aria-current", "true");
  }
  if (push) {
    if (ownEntry) window.history.replaceState({ source: true }, "", addressOf(place));
    else window.history.pushState({ source: true }, "", addressOf(place));
    ownEntry = true;
  }
  panelBody.setAttribute("aria-busy", "true");
  const reply = await call("open", { language, ...opened });
  if (panelKind !== "source" || !samePlace(opened, place)) return; // something else was opened meanwhile
  panelBody.removeAttribute("aria-busy");
  panelBody.innerHTML = reply.html ?? "";
  if (reply.error) panelBody.append(make("p", { class: "bq-missing", role: "alert", text: reply.error }));
  if (reply.title) document.title = `${reply.title} – babelquote`;
  const quote = one(".bq-whole", panelBody);
  panelBody.scrollTop = 0;
  quote?.scrollIntoView({ block: "center" });
  if (focus) (quote ?? panelBody).focus({ preventScroll: true });
}

// A larger window of the same document. What is being read stays where it is.
async function moreOf(side) {
  const key = side === "before" ? "before" : "after";
  opened[key] = (opened[key] ?? limits.window) + limits.step;
  const place = opened;
  const reply = await call("open", { language, ...place });
  if (place !== opened) return;
  if (reply.error) announce(reply.error);
  if (!reply.html) return;
  const fromEnd = panelBody.scrollHeight - panelBody.scrollTop;
  const fromStart = panelBody.scrollTop;
  panelBody.innerHTML = reply.html;
  panelBody.scrollTop = side === "before" ? panelBody.scrollHeight - fromEnd : fromStart;
  panelBody.focus({ preventScroll: true });
}

function stepTo(difference) {
  const at = steps.findIndex((step) => samePlace(step, opened));
  const place = steps[at + difference];
  if (place) openSource(place);
}

window.addEventListener("popstate", () => {
  const place = placeOf(window.location.href);
  ownEntry = window.history.state?.source === true;
  if (place) openSource(place, { push: false });
  else closePanel({ historyMoved: true });
});
