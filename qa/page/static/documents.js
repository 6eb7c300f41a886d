// The documents: what to search in, adding and removing.

function setChosen(next, names = {}) {
  chosen = next;
  Object.assign(chosenNames, names);
  const named = [...chosen.languages, ...chosen.sources, ...chosen.documents].map((value) => chosenNames[value] ?? value);
  one(".bq-filtered").hidden = named.length === 0;
  one(".bq-filtered span").textContent = say("filter_on", { names: named.join(", ") });
  for (const button of all('.bq-list [data-do="only"]')) {
    button.setAttribute("aria-pressed", String(chosen.documents.includes(button.dataset.id)));
  }
  for (const box of all("[data-choose]")) box.checked = chosen[box.dataset.choose].includes(box.value);
}

const without = (values, value) => values.filter((other) => other !== value);
const toggled = (values, value) => (values.includes(value) ? without(values, value) : [...values, value]);

const reports = make("div", { class: "bq-reports", role: "status" }); // outlives the panel's closing
let adding = 0; // runs that go on

async function openDocuments(from) {
  showPanel("documents", say("documents"), from);
  panelBody.setAttribute("aria-busy", "true");
  const reply = await call("shelf", { language, chosen });
  if (panelKind !== "documents") return;
  panelBody.removeAttribute("aria-busy");
  panelBody.innerHTML = reply.html ?? "";
  if (reply.error) panelBody.append(make("p", { class: "bq-missing", role: "alert", text: reply.error }));
  one(".bq-reports", panelBody)?.replaceWith(reports);
  panelBody.scrollTop = 0;
  panelBody.focus({ preventScroll: true });
}

// Brings list and choices up to date; what is being typed or sent stays.
async function listDocuments() {
  const search = one(".bq-find", panelBody)?.value ?? "";
  const reply = await call("shelf", { language, chosen, search });
  const list = one(".bq-list", panelBody);
  if (list && reply.list) {
    const wasOpen = one(".bq-choices", panelBody)?.open;
    list.innerHTML = reply.list;
    one(".bq-choose", panelBody).innerHTML = reply.choices;
    if (wasOpen) one(".bq-choices", panelBody)?.setAttribute("open", "");
  }
  refreshWelcome();
}

let finding = 0;
panelBody.addEventListener("input", (event) => {
  if (!event.target.matches(".bq-find")) return;
  window.clearTimeout(finding);
  finding = window.setTimeout(listDocuments, 250);
});

panelBody.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("[data-choose]")) {
    const kind = field.dataset.choose;
    const name = field.parentElement.querySelector("bdi").textContent;
    setChosen({ ...chosen, [kind]: toggled(chosen[kind], field.value) }, { [field.value]: name });
  } else if (field.matches(".bq-drop input")) {
    addFiles([...field.files]);
    field.value = "";
  }
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  panelBody.addEventListener(kind, (event) => {
    const drop = one(".bq-drop", panelBody);
    if (!drop || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.toggle("bq-over", kind === "dragover");
    if (kind === "drop") addFiles([...event.dataTransfer.files]);
  });
}

// Adds files, as many at once as the server takes, and reports on each.
async function addFiles(files) {
  if (!files.length) return;
  if (!adding) reports.replaceChildren();
  adding += 1;
  for (let i = 0; i < files.length; i += limits.files) await addSome(files.slice(i, i + limits.files));
  adding -= 1;
  await listDocuments();
}

// What to say of a file that was not sent. Gradio's error begins with the status; see qa/serve/files.py.
function whyNotSent(error) {
  if (error.message?.startsWith("HTTP 503")) return "error_disk";
  return error.message?.startsWith("HTTP 429") ? "error_upload_rate" : "error_upload";
}

// Sends the files one by one, and has them indexed together.
async function addSome(files) {
  const state = make("p", { class: "bq-working" }, make("progress"), make("span"));
  const tell = (message, share) => {
    state.lastChild.textContent = message;
    if (share === undefined) state.firstChild.removeAttribute("value");
    else state.firstChild.value = share;
  };
  const refuse = (name, why) => reports.append(make("p", { class: "bq-report bq-refused" }, make("b", { text: name }), make("span", { text: why })));
  reports.prepend(state);
  const sent = [];
  for (const file of files) {
    tell(say("uploading", { name: file.name }));
    if (file.size > limits.bytes) {
      refuse(file.name, say("error_file_large", { size: `${Math.round(limits.bytes / 1e6)} MB` }));
      continue;
    }
    try {
      const { path } = await upload(file);
      sent.push({ name: file.name, path });
    } catch (error) {
      refuse(file.name, say(whyNotSent(error)));
    }
  }
  if (sent.length) {
    const job = newId();
    tell(say("stage_read"));
    let over = false;
    const run = call("add", { language, files: sent, job }).finally(() => { over = true; });
    while (!over) {
      await Promise.race([run, new Promise((resolve) => { window.setTimeout(resolve, 1000); })]);
      if (over) break;
      const { stage, share } = await call("watch", { language, job });
      if (stage) tell(say(`stage_${stage}`), share);
    }
    const done = await run;
    if (done.error) refuse("", done.error);
    else reports.insertAdjacentHTML("beforeend", done.html);
  }
  state.remove();
}

function confirmRemoval(button) {
  const id = button.dataset.id;
  const yes = make("button", { type: "button", class: "bq-button bq-danger", text: say("remove_yes") });
  const no = make("button", { type: "button", class: "bq-button", text: say("remove_no") });
  const asked = make("p", { class: "bq-sure" }, make("span", { text: say("remove_sure") }), yes, no);
  no.addEventListener("click", () => { asked.remove(); button.focus(); });
  yes.addEventListener("click", async () => {
    yes.disabled = true;
    const done = await call("remove", { language, document: id });
    if (done.error) { asked.replaceChildren(done.error); return; }
    announce(done.said);
    setChosen({ ...chosen, documents: without(chosen.documents, id) });
    await listDocuments();
    panelBody.focus({ preventScroll: true });
  });
  button.closest("li").querySelector(".bq-sure")?.remove();
  button.closest("li").append(asked);
  no.focus();
}
