"use strict";
// Finds titles. The index comes in pieces, as scripts, because a page on a disk may load nothing else.
const rows = [];
let asked = false;
let missing = 0;

function addTitles(courses) {
  for (const [folder, course, titles] of courses) {
    rows.push({ text: course.toLowerCase(), title: course, course: "", kind: "Course", address: folder + "index.html" });
    for (const [title, kind, path] of titles) {
      rows.push({ text: title.toLowerCase(), title, course, kind, address: folder + path });
    }
  }
}

function load(pieces) {
  asked = true;
  missing = pieces;
  for (let piece = 0; piece < pieces; piece += 1) {
    const script = document.createElement("script");
    script.src = `search/${piece}.js`;
    const done = () => { missing -= 1; show(); };
    script.addEventListener("load", done);
    script.addEventListener("error", done); // a piece without courses is not there
    document.head.append(script);
  }
}

function show() {
  const words = document.getElementById("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const list = document.getElementById("found");
  const state = document.getElementById("state");
  if (!words.length || words.join("").length < 2) {
    list.replaceChildren();
    state.textContent = "";
    return;
  }
  const most = 100;
  const found = [];
  let number = 0;
  for (const row of rows) {
    if (words.every((word) => row.text.includes(word))) {
      number += 1;
      if (found.length < most) { found.push(row); }
    }
  }
  list.replaceChildren(...found.map((row) => {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = row.address;
    link.textContent = row.title;
    const about = document.createElement("span");
    about.className = "kind";
    about.textContent = row.course ? ` ${row.kind} in ${row.course}` : ` ${row.kind}`;
    line.append(link, about);
    return line;
  }));
  const still = missing > 0 ? " The index is being read." : "";
  state.textContent = (number > most ? `${number} found, the first ${most} are shown.` : `${number} found.`) + still;
}

const search = document.getElementById("search");
search.hidden = false;
document.getElementById("find").addEventListener("input", () => {
  if (!asked) { load(Number(search.dataset.pieces)); }
  show();
});
