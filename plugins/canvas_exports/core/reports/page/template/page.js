"use strict";
(() => {
  const element = (id) => document.getElementById(id);
  const data = JSON.parse(element("data").textContent);
  const PER_PAGE = 50;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const text = (place) => data.texts[place];

  // The row format of rows.py.
  const rows = data.rows.map((r) => ({
    context: r[0], name: r[1], type: text(r[2]), outcome: text(r[3]), detail: text(r[4]), size: r[5], findings: r[6],
    good: r[7], verified: r[8], verifiedAs: text(r[9]), drilled: r[10], drilledAs: text(r[11]), seconds: r[12], problem: r[13] === 1,
    key: r[14], canvas: text(r[15]), task: text(r[16]), batch: text(r[17]),
  }));

  function size(bytes) {
    if (bytes === null) return "";
    const units = ["B", "kB", "MB", "GB", "TB"];
    let at = 0;
    while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at += 1; }
    return `${at === 0 || bytes >= 99.95 ? bytes.toFixed(0) : bytes.toFixed(1)} ${units[at]}`;
  }
  function length(seconds) {
    if (seconds === null) return "";
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
    const days = Math.floor(seconds / 86400);
    return days === 1 ? "1 day" : `${days} days`;
  }
  const days = (zone) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  let calendar;
  try { calendar = days(data.zone); } catch { calendar = days("UTC"); }
  const day = (at) => calendar.format(new Date(at * 1000));
  const since = (at) => data.now - at < 60 ? "this run" : `${length(data.now - at)} old`;
  const last = (at, as) => at ? `${day(at)}, ${as}` : "never";

  function what(row) {
    const number = /^[0-9]+$/.test(row.findings);
    const findings = number ? `${row.findings} ${row.findings === "1" ? "finding" : "findings"}` : row.findings;
    return [row.detail, findings].filter(Boolean).join("; ");
  }
  const missed = (row) => data.maxAge > 0 && row.good !== null && data.now - row.good > data.maxAge;
  function good(row) {
    if (row.good === null) return "not checked";
    if (!row.good) return "none";
    return missed(row) ? `${since(row.good)}, promised: ${length(data.maxAge)}` : since(row.good);
  }
  // Text and sort key of each column.
  const COLUMNS = [
    { title: "Course", says: (r) => r.context, by: (r) => r.name || r.context },
    { title: "Type", says: (r) => r.type, by: (r) => r.type },
    { title: "Outcome", says: (r) => r.outcome, by: (r) => r.outcome },
    { title: "Size", says: (r) => size(r.size), by: (r) => r.size, number: true },
    { title: "Details", says: what, by: what },
    { title: "Newest good copy", says: good, by: (r) => r.good },
    { title: "Last verified", says: (r) => last(r.verified, r.verifiedAs), by: (r) => r.verified || null },
    { title: "Last restored", says: (r) => last(r.drilled, r.drilledAs), by: (r) => r.drilled || null },
    { title: "Time", says: (r) => length(r.seconds), by: (r) => r.seconds, number: true },
  ];
  const LINKS = "Links";
  const manifest = (key) => key.replace(/\.[A-Za-z0-9]+$/, ".json");
  const state = { column: -1, down: false, page: 0, shown: rows, paper: false };

  function make(tag, content, attributes) {
    const made = document.createElement(tag);
    if (content !== undefined) made.textContent = content;
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    return made;
  }

  function cell(row, column, at) {
    const says = column.says(row);
    const made = make(at === 0 ? "th" : "td", undefined, {
      role: at === 0 ? "rowheader" : "cell",
      "data-label": column.title,
      class: [column.number ? "number" : "", at === 4 ? "what" : "", says ? "" : "empty"].join(" ").trim(),
    });
    if (at === 0) {
      made.setAttribute("scope", "row");
      if (row.name) made.append(make("span", row.name));
      made.append(make("span", row.context, { class: "id" }));
    } else if (at === 2) {
      made.append(make("span", says, { class: `badge ${row.problem ? "bad" : "good"}` }));
    } else if (at === 5 && (row.good === 0 || missed(row)) || at === 6 && row.verified && !row.verifiedAs.startsWith("intact")
      || at === 7 && row.drilled && !row.drilledAs.startsWith("passed")) {
      made.append(make("span", says, { class: "none" }));
    } else {
      made.append(says);
    }
    return made;
  }

  // The links of a row, and the keys of its copy.
  function links(row) {
    const made = make("td", undefined, { role: "cell", "data-label": LINKS, class: "where" });
    const box = make("details");
    box.append(make("summary", "Open", { "aria-label": `Open: links of ${row.context}` }));
    const open = [["Canvas", data.canvas, row.canvas], ["Task", data.airflow, row.task], ["Restore", data.airflow, data.restore]];
    const list = make("p", undefined, { class: "links" });
    list.append(...open.filter(([, base, path]) => base && path).map(([name, base, path]) =>
      make("a", name, { href: base + path, "aria-label": `${name}: ${row.context}` })));
    if (list.childNodes.length) box.append(list);
    if (row.batch) box.append(make("p", `Batch: ${row.batch}`));
    if (row.key) {
      for (const [name, key] of [["Package", row.key], ["Manifest", manifest(row.key)]]) {
        const line = make("p", `${name}: `);
        line.append(make("code", `${data.archive}/${key}`));
        box.append(line);
      }
    }
    if (box.childNodes.length > 1) made.append(box); else made.classList.add("empty");
    return made;
  }

  function draw() {
    const from = state.paper ? 0 : state.page * PER_PAGE;
    const part = state.shown.slice(from, state.paper ? undefined : from + PER_PAGE);
    const body = element("rows").tBodies[0];
    body.replaceChildren(...part.map((row) => {
      const line = make("tr", undefined, { role: "row" });
      line.append(...COLUMNS.map((column, at) => cell(row, column, at)), links(row));
      return line;
    }));
    const pages = Math.max(1, Math.ceil(state.shown.length / PER_PAGE));
    const number = (n) => n.toLocaleString("en");
    element("count").textContent = state.shown.length
      ? `${number(from + 1)} to ${number(from + part.length)} of ${number(state.shown.length)}`
        + (state.shown.length < rows.length ? ` that match, of ${number(rows.length)}` : "")
      : `None of ${number(rows.length)} matches`;
    element("page").textContent = `Page ${number(state.page + 1)} of ${number(pages)}`;
    element("back").disabled = state.page === 0;
    element("on").disabled = state.page >= pages - 1;
    element("pages").hidden = pages === 1;
    [...element("rows").tHead.rows[0].cells].slice(0, COLUMNS.length).forEach((header, at) => {
      header.setAttribute("aria-sort", at !== state.column ? "none" : state.down ? "descending" : "ascending");
    });
    element("sort").value = state.column < 0 ? "" : `${state.column}${state.down ? "d" : "a"}`;
  }

  function choose() {
    const words = element("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [outcome, type, show] = ["outcome", "type", "show"].map((id) => element(id).value);
    state.shown = rows.filter((row) => {
      if (outcome && row.outcome !== outcome || type && row.type !== type) return false;
      if (show === "problem" && !row.problem || show === "bare" && row.good !== 0 || show === "missed" && !missed(row)) return false;
      if (!words.length) return true;
      row.all = row.all || `${row.context} ${row.name} ${row.outcome} ${what(row)} ${row.batch}`.toLowerCase();
      return words.every((word) => row.all.includes(word));
    });
    if (state.column >= 0) {
      const by = COLUMNS[state.column].by;
      const sign = state.down ? -1 : 1;
      const order = (a, b) => typeof a === "number" ? a - b : collator.compare(a, b);
      const missing = (value) => value === null || value === "";
      state.shown = state.shown.map((row) => [by(row), row]).sort(([a], [b]) =>
        missing(a) || missing(b) ? missing(a) - missing(b) : sign * order(a, b)).map(([, row]) => row);
    }
    state.page = 0;
    draw();
  }

  function sort(column, down) {
    state.column = column;
    state.down = down;
    choose();
  }

  const options = (id, values) => element(id).append(...values.map(([value, title]) => make("option", title, { value })));
  const distinct = (name) => [...new Set(rows.map((row) => row[name]))].sort(collator.compare).map((value) => [value, value]);
  options("outcome", distinct("outcome"));
  options("type", distinct("type"));
  options("sort", [["", "problems first"], ...COLUMNS.flatMap((column, at) => [
    [`${at}a`, `${column.title}, ascending`], [`${at}d`, `${column.title}, descending`],
  ])]);
  element("rows").tHead.rows[0].append(...COLUMNS.map((column, at) => {
    const header = make("th", undefined, { scope: "col", role: "columnheader", class: column.number ? "number" : "" });
    const button = make("button", column.title, { type: "button" });
    button.addEventListener("click", () => sort(at, state.column === at && !state.down));
    header.append(button);
    return header;
  }), make("th", LINKS, { scope: "col", role: "columnheader", class: "where" }));
  for (const id of ["outcome", "type", "show"]) element(id).addEventListener("change", choose);
  element("find").addEventListener("input", choose);
  element("sort").addEventListener("change", (event) => {
    const value = event.target.value;
    sort(value ? parseInt(value, 10) : -1, value.endsWith("d"));
  });
  element("back").addEventListener("click", () => { state.page -= 1; draw(); });
  element("on").addEventListener("click", () => { state.page += 1; draw(); });
  // On paper there is no next page: all rows that match are drawn, and what was drawn before comes back.
  const paper = (on) => { if (state.paper !== on) { state.paper = on; draw(); } };
  const printed = window.matchMedia("print");
  printed.addEventListener("change", (event) => paper(event.matches));
  window.addEventListener("beforeprint", () => paper(true));
  window.addEventListener("afterprint", () => paper(printed.matches));
  for (const id of ["tools", "rows"]) element(id).hidden = false;
  element("plain").hidden = true;
  choose();
})();
