// The conversation: questions, replies, and what can be done with a reply.

const turnsList = one(".bq-turns");
const box = one("textarea");
let chat = currentChat();
let chosen = { languages: [], sources: [], documents: [] };
let chosenNames = {};
const asking = new Map(); // the turns that wait for their reply, and their chats

function turnItem(turn) {
  // The label is in the page's language, the question in its own; the first letter decides how a text runs.
  const label = make("span", { class: "bq-hidden", text: `${say("you_asked")}: ` });
  const question = make("span", { class: "bq-question", dir: "auto", text: turn.asked });
  const asked = make("h2", { class: "bq-asked" }, label, question);
  const item = make("li", { class: "bq-turn" }, asked, make("div", { class: "bq-reply" }));
  nameLanguage(item, turn);
  return item;
}

function nameLanguage(item, turn) {
  const code = turn.reply?.question_language;
  if (code && code !== "und") one(".bq-question", item).lang = code;
}

// Puts what the server made of a reply into its turn.
function fillTurn(item, turn, shown) {
  const reply = one(".bq-reply", item);
  reply.innerHTML = shown.html;
  item.shown = shown;
  nameLanguage(item, turn);
  if (!shown.markdown) return;
  const bar = make("div", { class: "bq-actions" }, iconButton("copy", "copy", say("copy")));
  for (const [name, label] of [["right", "right"], ["wrong", "wrong"]]) {
    bar.append(iconButton(name, "judge", say(label), {
      "data-right": String(name === "right"),
      "aria-pressed": String(turn.judged === (name === "right")),
    }));
  }
  bar.append(make("span", { class: "bq-said", role: "status" }));
  reply.append(bar);
}

function thinking() {
  return make("p", { class: "bq-thinking" }, make("i"), make("i"), make("i"), make("span", { text: say("thinking") }));
}

function toTop(item) {
  item.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
}

function sizeBox() {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 200)}px`;
}

const isBusy = () => chat.turns.some((turn) => asking.has(turn));
const showBusy = () => { root.dataset.busy = isBusy() ? "yes" : ""; };
const itemOf = (turn) => turnsList.children[chat.turns.indexOf(turn)];
const turnOf = (part) => chat.turns[[...turnsList.children].indexOf(part.closest(".bq-turn"))];
const isFiltered = (restricted) => Object.values(restricted ?? {}).some((values) => values?.length > 0);
const earlierThan = (turn) => chat.turns.slice(0, chat.turns.indexOf(turn))
  .map((other) => other.reply?.question).filter(Boolean).slice(-20);

// Asks a turn's question; on failure says so in its place, with a way to try again.
async function answerTurn(turn, { alone = false } = {}) {
  const here = chat;
  const asIn = language;
  const within = chosen;
  const earlier = alone ? [] : earlierThan(turn);
  asking.set(turn, here);
  one(".bq-reply", itemOf(turn)).replaceChildren(thinking());
  showBusy();
  announce(say("thinking"));
  const shown = await call("ask", { language, question: turn.asked, earlier, chosen: within });
  asking.delete(turn);
  showBusy();
  if (shown.unfilter) setChosen({ languages: [], sources: [], documents: [] });
  const item = here === chat ? itemOf(turn) : null; // another chat may be shown by now
  if (shown.error) {
    if (!item) return;
    const retry = make("button", { type: "button", class: "bq-quiet", "data-do": "retry", text: say("retry") });
    one(".bq-reply", item).replaceChildren(make("p", { class: "bq-failed", role: "alert", text: shown.error }), retry);
    return;
  }
  Object.assign(turn, { reply: shown.reply, chosen: within, judged: undefined });
  if (saveTurn(here, turn)) showError(say("history_full"));
  if (!item) return;
  if (asIn !== language) { // the page's language was changed meanwhile
    await begin();
    return;
  }
  fillTurn(item, turn, shown);
  announce(shown.spoken);
}

async function ask(question) {
  const asked = question.trim();
  showError("");
  if (isBusy()) return;
  if (!/[\p{L}\p{N}]/u.test(asked)) {
    showError(say("error_empty"));
    box.focus();
    return;
  }
  if ([...asked].length > limits.chars) {
    showError(say("error_long", { limit: limits.chars.toLocaleString(language) }));
    return;
  }
  box.value = "";
  sizeBox();
  if (narrow.matches) box.blur();
  leaveIfGone();
  const turn = { id: newId(), asked };
  if (chat.turns.length === MOST_TURNS) {
    chat.turns.shift();
    turnsList.firstElementChild.remove();
  }
  chat.turns.push(turn);
  writeStored("sessionStorage", `${SETTING}current`, chat.id);
  if (saveTurn(chat, turn)) showError(say("history_full"));
  one(".bq-welcome").hidden = true;
  const item = turnItem(turn);
  turnsList.append(item);
  toTop(item);
  await answerTurn(turn);
}

// Shows the current chat; `shown` is what the server made of the replies that were kept, by turn. `coming`: it is being
// asked for that.
function showChat(shown, { coming = false } = {}) {
  turnsList.replaceChildren();
  for (const turn of chat.turns) {
    const item = turnItem(turn);
    turnsList.append(item);
    if (shown.get(turn)) fillTurn(item, turn, shown.get(turn));
    else if (asking.has(turn) || (coming && turn.reply)) one(".bq-reply", item).append(thinking());
    else one(".bq-reply", item).append(make("button", { type: "button", class: "bq-quiet", "data-do": "retry", text: say("retry") }));
  }
  one(".bq-welcome").hidden = chat.turns.length > 0;
  turnsList.lastElementChild?.scrollIntoView({ block: "start" });
  showBusy();
}

function startChat(next = newChat()) {
  chat = next;
  writeStored("sessionStorage", `${SETTING}current`, chat.id);
  closePanel();
  showError("");
  showChat(new Map(), { coming: true });
  if (chat.turns.length) return begin();
  box.focus();
}

// Presses the thumb of a judgement, or none, and keeps it with the turn of this chat.
function showJudged(here, item, turn, right) {
  turn.judged = right;
  for (const button of all('[data-do="judge"]', item)) {
    button.setAttribute("aria-pressed", String((button.dataset.right === "true") === right));
  }
  saveTurn(here, turn);
}

// A word on a reply: the thumb at once, and back if it could not be kept; a comment if there is one.
async function judge(item, turn, right) {
  const here = chat;
  const before = turn.judged;
  showJudged(here, item, turn, right);
  one(".bq-comment", item)?.remove();
  const done = await call("judge", { language, right, earlier: earlierThan(turn), chosen: turn.chosen, reply: turn.reply });
  one(".bq-said", item).textContent = done.error ?? done.said;
  if (done.error) return showJudged(here, item, turn, before); // another chat may be shown by now
  const field = make("textarea", { rows: "2", "aria-label": say("comment"), placeholder: say("comment"), maxlength: "2000" });
  const send = make("button", { type: "submit", class: "bq-button", text: say("comment_send") });
  const form = make("form", { class: "bq-comment" }, field, send);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!field.value.trim()) return form.remove();
    const comment = field.value.trim();
    const noted = await call("judge", { language, right, comment, earlier: earlierThan(turn), chosen: turn.chosen, reply: turn.reply });
    if (!noted.error) form.remove();
    one(".bq-said", item).textContent = noted.error ?? noted.said;
  });
  one(".bq-actions", item).after(form);
}
