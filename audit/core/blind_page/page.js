
"use strict";
const at = (id) => document.getElementById(id);
const sheet = JSON.parse(at("sheet").textContent);
const questions = [...document.querySelectorAll("fieldset[data-column]")];
const buttons = [...document.querySelectorAll("[data-answer]")];
const place = `reading sheet ${sheet.pictures[0]} ${sheet.pictures.length}`;
const unstated = at("about")?.value ?? "";
const empty = () => ({ person: "", about: unstated, answers: {}, shown: "" });
let state = empty();
let order = sheet.pictures;
let keeps = true;
let saved = true;

try {
  const found = JSON.parse(localStorage.getItem(place));
  if (typeof found?.person === "string") state = found;
} catch (error) { keeps = false; }

function keep() {
  try { localStorage.setItem(place, JSON.stringify(state)); } catch (error) { keeps = false; }
}

// FNV-1a
function lot(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  return hash;
}

const named = () => state.person.trim();
const answersOf = (name) => state.answers[name] || {};
const complete = (name) => questions.every((question) => answersOf(name)[question.dataset.column]);
const position = () => Math.max(0, order.indexOf(state.shown));

// the order of the pictures, which depends on the name, and the first one that is not complete
function arrange() {
  const lots = new Map(sheet.pictures.map((name) => [name, lot(`${named().toLowerCase()} ${name}`)]));
  if (sheet.named) order = [...sheet.pictures].sort((a, b) => lots.get(a) - lots.get(b) || (a < b ? -1 : 1));
  if (!order.includes(state.shown)) state.shown = order.find((name) => !complete(name)) || order[0];
}

function show() {
  const name = order[position()], all = order.length, done = order.filter(complete).length;
  const able = !sheet.named || named() !== "";
  at("face").src = `${sheet.folder}/${name}.png`;
  for (const button of buttons) {
    const given = (answersOf(name)[button.parentNode.dataset.column] || "").split("|");
    button.setAttribute("aria-pressed", String(given.includes(button.dataset.answer)));
    button.disabled = !able;
  }
  at("bar").value = done / all;
  at("count").textContent = able
    ? `Picture ${position() + 1} of ${all}; ${done} done.` + (done === all ? " All are done: save the table." : "")
    : "Enter your name to begin.";
  at("back").disabled = position() === 0;
  at("next").disabled = position() === all - 1;
  at("clear").disabled = !(name in state.answers);
  at("save").disabled = !able;
  at("kept").textContent = (keeps
    ? "Your answers are kept in this browser until you start over."
    : "This browser keeps nothing: save the table before you close the page.") + " Nothing is sent anywhere.";
}

function update() { keep(); show(); }

function move(step) {
  state.shown = order[Math.min(Math.max(position() + step, 0), order.length - 1)];
  update();
}

function answer(button) {
  const name = order[position()], question = button.parentNode, column = question.dataset.column;
  const before = (answersOf(name)[column] || "").split("|").filter(Boolean), value = button.dataset.answer;
  let after = [value];
  if ("several" in question.dataset && value !== sheet.alone && !before.includes(sheet.alone)) {
    const chosen = before.includes(value) ? before.filter((each) => each !== value) : [...before, value];
    after = buttons.filter((each) => each.parentNode === question).map((each) => each.dataset.answer).filter((each) => chosen.includes(each));
  }
  saved = false;
  state.shown = name;
  state.answers[name] = { ...answersOf(name), [column]: after.join("|") };
  move(questions.length === 1 ? 1 : 0);
}

function table() {
  const quoted = (text) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const rows = sheet.pictures.map((picture) => {
    const cells = { ...sheet.fixed, picture, [sheet.person]: named(), [sheet.about]: state.about.trim(), ...answersOf(picture) };
    return sheet.columns.map((column) => quoted(String(cells[column] ?? ""))).join(",");
  });
  return [sheet.columns.join(","), ...rows].join("\n") + "\n";
}

// the rows of a CSV text, with quoted cells
function cellsOf(text) {
  const rows = [[]];
  for (const [, cell, end] of text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/g)) {
    rows.at(-1).push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === "") break;
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

function load(text) {
  const [head, ...rows] = cellsOf(text.replace(/^\ufeff/, ""));
  const read = rows.map((row) => Object.fromEntries(head.map((column, i) => [column, row[i] || ""])));
  const fits = read.length > 0 && read.every((row) => sheet.pictures.includes(row.picture)
    && Object.entries(sheet.fixed).every(([column, value]) => row[column] === String(value)));
  if (!fits) return "This file is not a table that this page saved.";
  state = { ...empty(), person: read[0][sheet.person] || "", about: read[0][sheet.about] || unstated };
  for (const row of read) {
    const given = questions.map(({ dataset: { column } }) => [column, row[column]]).filter(([, value]) => value);
    if (given.length) state.answers[row.picture] = Object.fromEntries(given);
  }
  return `${Object.keys(state.answers).length} pictures with answers were loaded.`;
}

function begin() {
  at("person").value = state.person;
  if (at("about")) at("about").value = state.about;
  arrange();
  update();
}

for (const button of buttons) button.addEventListener("click", () => answer(button));
at("back").addEventListener("click", () => move(-1));
at("next").addEventListener("click", () => move(1));
at("clear").addEventListener("click", () => { delete state.answers[order[position()]]; saved = false; update(); });
at("person").addEventListener("input", (event) => {
  state.person = event.target.value;
  if (Object.keys(state.answers).length === 0) state.shown = "";
  arrange();
  update();
});
at("about")?.addEventListener("input", (event) => { state.about = event.target.value; keep(); });
at("over").addEventListener("click", () => {
  if (!confirm("Forget all answers on this page?")) return;
  state = empty();
  begin();
});
at("load").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) at("said").textContent = load(await file.text());
  event.target.value = "";
  begin();
});
at("save").addEventListener("click", () => {
  const link = document.createElement("a"), ending = sheet.named ? `-${named().replace(/[^\p{L}\p{N}]+/gu, "-")}.csv` : ".csv";
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  link.download = sheet.file.replace(".csv", ending);
  link.click();
  saved = true;
});
addEventListener("keydown", (event) => {
  if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const button = buttons.find((each) => each.dataset.key === event.key.toLowerCase());
  if (button && !button.disabled) answer(button);
  if (event.key === "ArrowLeft") move(-1);
  if (event.key === "ArrowRight") move(1);
});
addEventListener("beforeunload", (event) => { if (!keeps && !saved) event.preventDefault(); });
begin();
