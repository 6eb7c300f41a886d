// The earlier chats of this browser.

function openHistory(from) {
  showPanel("history", say("history"), from);
  const chats = storedChats();
  const list = make("ul", { class: "bq-chats" });
  const dates = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  for (const other of chats) {
    const title = other.turns[0]?.asked ?? "";
    const button = make("button", { type: "button", class: "bq-chat", "data-do": "chat", "data-id": other.id },
      make("span", { text: title, dir: "auto" }), make("small", { text: dates.format(other.changed) }));
    if (other.id === chat.id) button.setAttribute("aria-current", "true");
    list.append(make("li", {}, button, iconButton("bin", "forget", say("history_delete", { title }), { "data-id": other.id })));
  }
  panelBody.replaceChildren(
    make("p", { class: "bq-small", text: say("history_note") }),
    chats.length ? list : make("p", { class: "bq-small", text: say("history_empty") }),
  );
  if (chats.length) {
    panelBody.append(make("button", { type: "button", class: "bq-button", "data-do": "forget-all", text: say("history_clear") }));
  }
  panelBody.scrollTop = 0;
  panelBody.focus({ preventScroll: true });
}

function forget(id) {
  deleteChat(id);
  if (id === chat.id) leaveChat();
  openHistory();
}

// A deleted chat makes room for a new one.
function leaveChat() {
  chat = newChat();
  writeStored("sessionStorage", `${SETTING}current`, chat.id);
  showChat(new Map());
}

// What another tab deleted is not shown here either, and does not come back with the next question.
function leaveIfGone() {
  if (!isGone(chat)) return;
  leaveChat();
  showError(say("history_gone"));
}
window.addEventListener("storage", ({ newValue }) => { if (newValue === null) leaveIfGone(); });

function forgetAll(button) {
  if (button.dataset.sure) {
    for (const other of storedChats()) deleteChat(other.id);
    for (const waiting of asking.values()) waiting.gone = true;
    leaveChat();
    openHistory();
    return;
  }
  button.dataset.sure = "yes";
  button.classList.add("bq-danger");
  button.textContent = say("history_sure");
}
