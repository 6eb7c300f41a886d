// Chats are kept in this browser, one entry each, so that two tabs do not overwrite one another. The chat that a tab
// shows is the tab's own (sessionStorage). Where storage is forbidden, the page works and forgets.

const CHAT = "babelquote.chat.";
const SETTING = "babelquote.";

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

const newChat = () => ({ id: crypto.randomUUID?.() ?? String(Math.random()).slice(2), turns: [], changed: 0 });

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

// Saves a chat; the oldest ones make room. Returns how many had to go.
function saveChat(chat) {
  if (chat.gone) return 0; // it was deleted while it waited for a reply
  chat.changed = Date.now();
  let gone = 0;
  while (!writeStored("localStorage", CHAT + chat.id, chat)) {
    const oldest = storedChats().filter((other) => other.id !== chat.id).pop();
    if (!oldest) break;
    deleteChat(oldest.id);
    gone += 1;
  }
  return gone;
}

function currentChat() {
  const id = readStored("sessionStorage", `${SETTING}current`);
  const chat = id && readStored("localStorage", CHAT + id);
  return chat && Array.isArray(chat.turns) ? chat : newChat();
}
