"use strict";
// The page is whole without this: it sorts and filters tables, filters the gallery, saves a sign-off, and opens what a printer would miss.
const words = {
  filter_rows: "Filter rows",
  rows: "{shown} of {all} shown",
  filter_group: "Group",
  filter_language: "Language",
  filter_read: "Rendered, read as",
  filter_drawn: "Drawn as",
  filter_all: "all",
  saved: "sign-off.json was handed to the browser to be saved. It counts once it is kept beside the audit: audit report RUN --sign-off sign-off.json",
};
const told = (shown, all) => words.rows.replace("{shown}", shown).replace("{all}", all);
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  if (original.length > 9) filterRows(table, original);
  if (original.length < 3 || !table.classList.contains("sortable")) continue;
  heads.forEach((head, column) => {
    const label = head.querySelector(".label");
    const button = document.createElement("button");
    button.type = "button";
    label.replaceWith(button);
    button.append(label);
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") || "none"];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
      const numeric = original.every((row) => key(row) === "" || Number.isFinite(Number(key(row))));
      const compare = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = numeric ? Number(x) - Number(y) : x.localeCompare(y);
        return next === "descending" ? -order : order;
      };
      if (next !== "none") head.setAttribute("aria-sort", next);
      body.append(...(next === "none" ? original : [...original].sort(compare)));
    });
  });
}
function filterRows(table, rows) {
  const bar = filterBar();
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "search";
  box.autocomplete = "off";
  label.append(words.filter_rows, box);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const show = () => {
    const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !wanted.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    bar.status.textContent = told(shown, rows.length);
  };
  box.addEventListener("input", show);
  bar.append(label, bar.status);
  (table.closest(".table-wrap") || table).before(bar);
  show();
}
function filterBar() {
  const bar = document.createElement("div");
  bar.className = "filters";
  bar.status = document.createElement("span");
  bar.status.setAttribute("role", "status");
  return bar;
}
for (const gallery of document.querySelectorAll(".gallery")) {
  const strips = [...gallery.querySelectorAll(".strip")];
  const chosen = {};
  const bar = filterBar();
  const show = () => {
    for (const strip of strips) {
      strip.hidden = Object.entries(chosen).some(([field, value]) => value && strip.dataset[field] !== value);
    }
    for (const part of gallery.querySelectorAll(".stratum")) {
      part.hidden = !part.querySelector(".strip:not([hidden])");
    }
    bar.status.textContent = told(strips.filter((strip) => !strip.hidden).length, strips.length);
  };
  for (const field of ["group", "language", "read", "drawn"]) {
    const found = [...new Set(strips.map((strip) => strip.dataset[field]).filter(Boolean))];
    if (found.length < 2) continue;
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.append(new Option(words.filter_all, ""), ...found.map((name) => new Option(name, name)));
    select.addEventListener("change", () => { chosen[field] = select.value; show(); });
    label.append(words["filter_" + field], select);
    bar.append(label);
  }
  if (bar.children.length) {
    bar.append(bar.status);
    gallery.prepend(bar);
    show();
  }
}
// On a phone the contents stay closed, so that the first screen shows the findings.
const roomy = matchMedia("(min-width: 44.01rem)");
const unfold = () => { for (const part of document.querySelectorAll(".contents details")) part.open = roomy.matches; };
roomy.addEventListener("change", unfold);
unfold();
// What does not scroll is no stop for the keyboard.
const scrolled = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const part of document.querySelectorAll(".table-wrap, pre")) scrolled.observe(part);
for (const form of document.querySelectorAll("form.sign")) {
  const status = form.querySelector("[role=status]");
  form.hidden = false;
  form.addEventListener("change", () => { form.elements.conditions.required = form.elements.decision.value !== "release"; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const record = { audit_sha256: form.dataset.audit };
    for (const field of ["name", "role", "decision", "conditions", "date"]) record[field] = form.elements[field].value.trim();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(record, null, 1) + "\n"], { type: "application/json" }));
    link.download = "sign-off.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    status.textContent = words.saved;
  });
}
const opened = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) { part.open = true; opened.push(part); }
});
addEventListener("afterprint", () => { for (const part of opened.splice(0)) part.open = false; });
