"use strict";
// The page is whole without this: it adds sorting of tables, filters of the gallery, and opens what a printer would miss.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  if (original.length < 3) continue;
  heads.forEach((head, column) => {
    const label = head.querySelector(".label");
    const button = document.createElement("button");
    button.type = "button";
    label.replaceWith(button);
    button.append(label);
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") || "none"];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      const key = (row) => row.cells[column].dataset.sort;
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
for (const gallery of document.querySelectorAll(".gallery")) {
  const strips = [...gallery.querySelectorAll(".strip")];
  const chosen = {};
  const bar = document.createElement("div");
  bar.className = "filters";
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  const show = () => {
    for (const strip of strips) {
      strip.hidden = Object.entries(chosen).some(([field, value]) => value && strip.dataset[field] !== value);
    }
    for (const part of gallery.querySelectorAll(".stratum")) {
      part.hidden = !part.querySelector(".strip:not([hidden])");
    }
    status.textContent = strips.filter((strip) => !strip.hidden).length + " / " + strips.length;
  };
  for (const field of ["group", "language"]) {
    const found = [...new Set(strips.map((strip) => strip.dataset[field]))];
    if (found.length < 2) continue;
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.append(new Option(gallery.dataset.all, ""), ...found.map((name) => new Option(name, name)));
    select.addEventListener("change", () => { chosen[field] = select.value; show(); });
    label.append(gallery.dataset[field + "Label"], select);
    bar.append(label);
  }
  if (bar.children.length) {
    bar.append(status);
    gallery.prepend(bar);
    show();
  }
}
const opened = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) { part.open = true; opened.push(part); }
});
addEventListener("afterprint", () => { for (const part of opened.splice(0)) part.open = false; });
