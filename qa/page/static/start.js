// Starts the page and hands every click, key and submit to the part that it is meant for.

const languageField = one(".bq-language select");

let begun = 0;

// Fetches the texts and what the server makes of the kept replies. A later call, and another chat, go before this one.
async function begin() {
  const number = ++begun;
  const here = chat;
  const replied = here.turns.filter((turn) => turn.reply);
  const kept = readStored("localStorage", `${SETTING}language`);
  const wanted = [...(typeof kept === "string" ? [kept] : []), ...navigator.languages].slice(0, 20);
  const replies = replied.map((turn) => ({ reply: turn.reply, filtered: isFiltered(turn.chosen) }));
  let reply = await call("begin", { languages: wanted, turns: replies });
  // What was kept may be of another version, or spoilt: then its questions remain, and can be asked again.
  if (reply.error && replies.length) reply = await call("begin", { languages: wanted, turns: [] });
  if (number !== begun) return;
  if (reply.error) {
    // What stands there stays; what was to come can be asked again.
    if (here === chat && texts.retry && !all(".bq-turn").some((item) => item.shown)) showChat(new Map());
    root.dataset.ready = "yes";
    showError(reply.error);
    return;
  }
  ({ texts, language, limits } = reply);
  languageField.replaceChildren(
    ...Object.entries(reply.languages).map(([code, name]) => make("option", { value: code, lang: code, selected: code === language, text: name })),
  );
  applyTexts();
  one(".bq-out").hidden = !reply.user;
  one(".bq-welcome").innerHTML = reply.welcome;
  if (here === chat) showChat(new Map(replied.map((turn, i) => [turn, reply.turns[i]])));
  setChosen(chosen);
  root.dataset.ready = "yes";
  // What was answered meanwhile is shown, too.
  if (here === chat && here.turns.some((turn) => turn.reply && !replied.includes(turn))) await begin();
}

async function refreshWelcome() {
  const reply = await call("begin", { languages: [language], turns: [] });
  if (!reply.error) one(".bq-welcome").innerHTML = reply.welcome;
}

languageField.addEventListener("change", async () => {
  writeStored("localStorage", `${SETTING}language`, languageField.value);
  const place = opened;
  const kind = panelKind;
  await begin();
  if (kind === "source" && place) openSource(place, { push: false, focus: false });
  else if (kind === "documents") openDocuments();
  else if (kind === "history") openHistory();
  languageField.focus();
});

const actions = {
  new: () => startChat(),
  history: (button) => (panelKind === "history" ? closePanel() : openHistory(button)),
  documents: (button) => (panelKind === "documents" ? closePanel() : openDocuments(button)),
  close: () => closePanel(),
  previous: () => stepTo(-1),
  next: () => stepTo(1),
  "more-before": () => moreOf("before"),
  "more-after": () => moreOf("after"),
  unfilter: () => { setChosen({ languages: [], sources: [], documents: [] }); box.focus(); },
  example: (button) => ask(one("span", button).textContent),
  chat: ({ dataset: { id } }) => {
    const waiting = [...asking.values()].find((other) => other.id === id);
    startChat(waiting ?? readChat(id) ?? newChat());
  },
  forget: (button) => forget(button.dataset.id),
  "forget-all": (button) => forgetAll(button),
  remove: (button) => confirmRemoval(button),
  only: (button) => {
    const title = button.closest("li, .bq-panel-body").querySelector(".bq-title, h3").textContent;
    setChosen({ ...chosen, documents: toggled(chosen.documents, button.dataset.id) }, { [button.dataset.id]: title });
    if (panelKind === "source") closePanel();
  },
  alone: (_, item, turn) => answerTurn(turn, { alone: true }),
  retry: (_, item, turn) => answerTurn(turn),
  copy: async (_, item) => {
    const done = await copyText(item.shown.markdown);
    one(".bq-said", item).textContent = say(done ? "copied" : "copy_failed");
  },
  judge: (button, item, turn) => judge(item, turn, button.dataset.right === "true"),
};

root.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (link) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.dataset.open !== undefined) {
      event.preventDefault();
      steps = [];
      openSource({ document: link.dataset.open, start: 0, end: 0 });
      return;
    }
    if (link.matches(".bq-link")) {
      event.preventDefault();
      copyText(link.href).then((done) => {
        link.textContent = say(done ? "copied" : "copy_failed");
        announce(link.textContent);
        window.setTimeout(() => { link.textContent = say("link"); }, 2000);
      });
      return;
    }
    const place = placeOf(link.href);
    if (place) {
      event.preventDefault();
      openSource(place, { from: link, turn: turnOf(link) });
      return;
    }
  }
  const button = event.target.closest("[data-do]");
  if (!button || button.matches("input")) return;
  event.preventDefault();
  actions[button.dataset.do]?.(button, button.closest(".bq-turn"), turnOf(button));
});

// Whether a key belongs to an input method. Safari ends composing before the key that ended it, and marks that one.
const composes = (event) => event.isComposing || event.keyCode === 229;

one(".bq-ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(box.value);
});
box.addEventListener("input", () => { sizeBox(); showError(""); });
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !composes(event)) {
    event.preventDefault();
    ask(box.value);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !panel.hidden && !composes(event)) {
    event.preventDefault();
    closePanel();
  }
});

begin().then(() => {
  const place = placeOf(window.location.href);
  if (place) {
    // So that going back, or closing, leads to the chat and not to this address again.
    window.history.replaceState(null, "", "./");
    openSource(place, { from: box });
  }
  else if (!narrow.matches) box.focus({ preventScroll: true });
});
