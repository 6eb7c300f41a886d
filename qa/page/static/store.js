// Chats are kept in this browser, one entry each. The chat that a tab shows is the tab's own (sessionStorage). Two tabs
// may show the same: each saves the turns that it asked, and a chat that one of them deletes is deleted in both. Where
// storage is forbidden, the page works and forgets.

const CHAT = "babelquote.chat.";
const SETTING = "babelquote.";
const MOST_TURNS = 100; // of one chat; the oldest are dropped
const seen = new Set(); // ids of the chats that this tab read or saved

function readStored(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(key));
  } catch {
    return null;
  }
}

function writeStored(storage, key, value) {
  try {
    window[storage].setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

const newId = () => crypto.randomUUID?.() ?? String(Math.random()).slice(2);
const newChat = () => ({ id: newId(), turns: [], changed: 0 });

// A chat as it was saved last, in whatever tab.
function readChat(id) {
  const chat = readStored("localStorage", CHAT + id);
  if (!chat || !Array.isArray(chat.turns)) return null;
  seen.add(id);
  chat.turns.forEach((turn, i) => { turn.id ??= `${i}`; }); // saved before turns had ids
  return chat;
}

// Whether a chat that was saved has been deleted since, in whatever tab.
const isGone = (chat) => chat.gone || (seen.has(chat.id) && !readChat(chat.id));

function storedChats() {
  let keys = [];
  try {
    keys = Object.keys(window.localStorage).filter((key) => key.startsWith(CHAT));
  } catch { /* storage is forbidden */ }
  return keys
    .map((key) => readStored("localStorage", key))
    .filter((chat) => chat && typeof chat.id === "string" && Array.isArray(chat.turns))
    .sort((a, b) => b.changed - a.changed);
}

function deleteChat(id) {
  try {
    window.localStorage.removeItem(CHAT + id);
  } catch { /* storage is forbidden */ }
}

// Saves a turn of a chat; what other tabs saved of the chat stays, and its oldest turns and the oldest chats make room.
// Returns how many chats had to go.
function saveTurn(chat, turn) {
  if (isGone(chat)) return 0;
  chat.changed = Date.now();
  const turns = readChat(chat.id)?.turns ?? [...chat.turns];
  const at = turns.findIndex((other) => other.id === turn.id);
  turns.splice(at < 0 ? turns.length : at, 1, turn);
  let gone = 0;
  while (!writeStored("localStorage", CHAT + chat.id, { ...chat, turns: turns.slice(-MOST_TURNS) })) {
    const oldest = storedChats().filter((other) => other.id !== chat.id).pop();
    if (!oldest) return gone;
    deleteChat(oldest.id);
    gone += 1;
  }
  seen.add(chat.id);
  return gone;
}

function currentChat() {
  const id = readStored("sessionStorage", `${SETTING}current`);
  return (id && readChat(id)) || newChat();
}
