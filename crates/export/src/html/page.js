"use strict";
// Sorting and filtering, where script is allowed. Without it every table is there, in the report's order.
for (const table of document.querySelectorAll("table[data-sort]")) {
  const body = table.tBodies[0], rows = Array.from(body.rows), heads = Array.from(table.tHead.rows[0].cells);
  const key = (row, i) => {
    const cell = row.cells[i], raw = cell.dataset.v;
    return raw === undefined ? cell.textContent.trim().toLowerCase() : raw === "" ? null : Number(raw);
  };
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Numbers begin with the greatest, texts with A; the third click gives the report's order.
      const first = head.classList.contains("r") ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const now = head.getAttribute("aria-sort"), next = now === first ? second : now === second ? null : first;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      let sorted = rows;
      if (next) {
        head.setAttribute("aria-sort", next);
        const way = next === "ascending" ? 1 : -1;
        sorted = rows.map(row => [key(row, i), row]).sort(([a], [b]) =>
          a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -way : way).map(pair => pair[1]);
      }
      body.append(...sorted);
    });
  });
  if (rows.length < 8) continue;
  const box = document.createElement("p"), label = document.createElement("label");
  const input = document.createElement("input"), count = document.createElement("output");
  box.className = "filter";
  input.type = "search";
  input.id = "filter-" + table.id;
  label.htmlFor = input.id;
  label.textContent = "Filter " + table.dataset.sort;
  count.setAttribute("aria-live", "polite");
  box.append(label, input, count);
  table.parentElement.before(box);
  const texts = rows.map(row => row.textContent.toLowerCase());
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every(word => texts[i].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = words.length ? shown + " of " + rows.length + " rows" : "";
  });
}
