// The service's page: articles that are pasted, dropped or chosen go to the service, and come back as a report.
"use strict";

(() => {
  const { t, make, foreign } = Page;

  const MOST_BYTES = 2_000_000; // of an article, as the service has it
  const MOST_OF_A_PAGE = 6_000_000; // and of a request
  const MOST_AT_ONCE = 50; // articles of a request
  const MOST_SHOWN = 500; // articles of a job; all are in what is saved
  const LOOK = 700; // milliseconds between two looks at a job
  const TABLE = /\.(jsonl|ndjson|csv|tsv|parquet)(\.gz|\.zst)?$/i;
  const KINDS = { jsonl: "application/x-ndjson", ndjson: "application/x-ndjson", csv: "text/csv", tsv: "text/tab-separated-values", parquet: "application/vnd.apache.parquet" };
  const PACKED = { gz: "gzip", zst: "zstd" };

  const element = (id) => document.getElementById(id);
  const form = element("asking");
  let files = []; // those that were dropped or chosen
  let lines = []; // of JSON, as they came
  let job = null; // where the job is whose results are shown
  let under = null; // what stops the work under way
  let working = false;
  let telling = () => "";

  // ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Send a request; an answer that is a problem becomes an error that says it. */
  async function ask(path, options = {}) {
    const token = form.elements.token?.value;
    const headers = { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(path, { signal: under?.signal, ...options, headers });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({ failure: String(answer.status), detail: answer.statusText }));
      throw Object.assign(new Error(problem.detail), { problem });
    }
    return answer;
  }

  const inJson = (value) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });

  /** Every line of an answer as it comes. */
  async function* linesOf(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      const parts = (rest + (value || "")).split("\n");
      rest = parts.pop();
      yield* parts.filter(Boolean);
      if (done) break;
    }
    if (rest) yield rest;
  }

  /** Values in parts that one request may have. */
  function* batches(values) {
    let part = [];
    let size = 0;
    for (const value of values) {
      const length = JSON.stringify(value).length * 2; // Arabic letters have two bytes
      if (part.length && (part.length === MOST_AT_ONCE || size + length > MOST_OF_A_PAGE)) {
        yield part;
        [part, size] = [[], 0];
      }
      part.push(value);
      size += length;
    }
    if (part.length) yield part;
  }

  // ── articles ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** What is asked: the pasted text, and the texts of the files, each under an id of its own. */
  async function articles() {
    const shared = { published_at: form.elements.day.value || null, tasks: chosenTasks() };
    const asked = form.elements.text.value.trim() ? [{ id: "pasted", text: form.elements.text.value, ...shared }] : [];
    for (const file of files) {
      if (file.size > (/\.x?html?$/i.test(file.name) ? MOST_OF_A_PAGE : MOST_BYTES)) throw new Error(t("serve.too_large", { name: Page.visible(file.name) }));
      asked.push({ id: file.name, text: await file.text(), ...shared });
    }
    const taken = new Map();
    for (const one of asked) {
      const count = (taken.get(one.id) || 0) + 1;
      taken.set(one.id, count);
      if (count > 1) one.id = `${one.id} (${count})`;
    }
    return asked;
  }

  function chosenTasks() {
    return [...form.querySelectorAll("[name=task]:checked")].map((box) => box.value);
  }

  /** Ask for some articles at once; the results come one by one. */
  async function extract() {
    const asked = await articles();
    if (!asked.length || !chosenTasks().length) throw new Error(t(asked.length ? "serve.no_task" : "serve.nothing"));
    const texts = new Map(asked.map((one) => [one.id, one.text]));
    advance(0, asked.length);
    for (const some of batches(asked))
      for await (const line of linesOf(await ask("v1/extractions", inJson(some)))) {
        lines.push(line);
        advance(lines.length, asked.length);
      }
    const order = [...texts.keys()]; // results come as they are ready, and are shown as they were asked
    const found = lines.map((line) => JSON.parse(line));
    found.sort((one, other) => order.indexOf(one.document_id) - order.indexOf(other.document_id));
    await show(found, texts);
  }

  /** Send a table as a job, and look how far it is until it has ended. */
  async function extractTable(file) {
    const [, kind, packed] = /\.(\w+?)(?:\.(gz|zst))?$/i.exec(file.name);
    const headers = { "Content-Type": KINDS[kind.toLowerCase()], ...(packed && { "Content-Encoding": PACKED[packed.toLowerCase()] }) };
    const day = form.elements.day.value;
    if (!chosenTasks().length) throw new Error(t("serve.no_task"));
    const options = new URLSearchParams([...chosenTasks().map((task) => ["tasks", task]), ...(day ? [["published_at", day]] : [])]);
    const begun = await ask(`v1/jobs?${options}`, { method: "POST", headers, body: file });
    let state = await begun.json();
    const at = `v1/jobs/${state.id}`;
    job = at;
    while (["waiting", "running"].includes(state.state)) {
      advance(state.done + sum(state.failed), state.total, state.ahead);
      await new Promise((ready) => setTimeout(ready, LOOK));
      state = await (await ask(at)).json();
    }
    for await (const line of linesOf(await ask(`${at}/results`))) lines.push(line);
    const found = lines.map((line) => JSON.parse(line));
    const shown = [...found.filter((one) => !one.failure).slice(0, MOST_SHOWN), ...found.filter((one) => one.failure)];
    await show(shown, new Map(), found.length - shown.length);
    if (state.reason) throw new Error(state.reason);
  }

  const sum = (counts) => Object.values(counts).reduce((one, other) => one + other, 0);

  // ── what is shown ──────────────────────────────────────────────────────────────────────────────────────────────

  function advance(done, total, ahead = 0) {
    const progress = element("progress");
    progress.hidden = false;
    if (total) Object.assign(progress, { max: total, value: done });
    else progress.removeAttribute("value");
    tell(() => (ahead ? t("serve.ahead", { count: ahead }) : total ? t("serve.progress", { done, total }) : t("serve.done", { count: done })));
  }

  /** Say something, and say it again in the language that is chosen later. */
  function tell(words) {
    telling = words;
    element("told").textContent = words();
  }

  async function show(found, texts, left = 0) {
    const failed = found.filter((one) => one.failure);
    const shown = found.filter((one) => !one.failure).map((extraction) => ({ extraction, text: texts.get(extraction.document_id) ?? null }));
    const payload = [];
    for (const some of batches(shown)) payload.push(...(await (await ask("v1/view", inJson(some))).json()));
    element("failures").hidden = !failed.length;
    element("failed").replaceChildren(...failed.map((one) => make("li", {}, foreign(one.document_id), ": ", make("strong", {}, foreign(one.failure)), " ", foreign(one.message))));
    element("cut").hidden = !left;
    element("cut").textContent = t("serve.cut", { count: left });
    element("found").hidden = false;
    element("found").querySelector(".reading").hidden = !shown.length;
    Report.show(payload);
    element("found-title").focus();
    tell(() => t("serve.ended", { done: shown.length, failed: failed.length }));
  }

  function showChosen() {
    element("chosen").replaceChildren(...files.map((file) => make("li", {}, foreign(file.name), ` · ${Page.number(Math.ceil(file.size / 1000))} kB`)));
  }

  function choose(chosen) {
    files = [...chosen];
    showChosen();
  }

  // ── saving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  function save(blob, name) {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  async function saveTables() {
    const options = { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: `${lines.join("\n")}\n` };
    const answer = await (job ? ask(`${job}/tables.zip`) : ask("v1/tables", options));
    save(await answer.blob(), "tables.zip");
  }

  // ── begin ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Do something that takes time, and say what became of it. */
  async function work(doing) {
    if (working) return;
    working = true;
    under = new AbortController();
    element("begin").disabled = true;
    element("cancel").hidden = false;
    try {
      await doing();
    } catch (error) {
      const problem = error.problem;
      const stopped = error.name === "AbortError";
      const said = Page.visible(error.message);
      tell(() => (stopped ? t("serve.cancelled") : problem ? `${problem.failure}: ${said}` : said));
    } finally {
      working = false;
      under = null;
      element("begin").disabled = false;
      element("cancel").hidden = true;
      element("progress").hidden = true;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    work(async () => {
      lines = [];
      job = null;
      const table = files.find((file) => TABLE.test(file.name));
      await (table ? extractTable(table) : extract());
    });
  });
  element("cancel").addEventListener("click", async () => {
    const at = job;
    under?.abort();
    if (at) await ask(at, { method: "DELETE", signal: null }).catch(() => {});
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.elements.files.addEventListener("change", () => choose(form.elements.files.files));
  for (const kind of ["dragenter", "dragover"])
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length) choose(event.dataTransfer.files);
    else form.elements.text.value = event.dataTransfer.getData("text/plain");
  });
  element("save-json").addEventListener("click", () => save(new Blob([`${lines.join("\n")}\n`], { type: "application/x-ndjson" }), "records.jsonl"));
  element("save-tables").addEventListener("click", () => work(async () => { await saveTables(); tell(() => t("serve.saved")); }));
  Page.onSpeak(() => {
    tell(telling);
    showChosen();
  });
})();
