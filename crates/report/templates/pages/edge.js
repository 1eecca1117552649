// What the pages do beyond what they do without a script: tables sort by a column, a run at work stays fresh.
"use strict";

/** Returns what a cell is sorted by: its number where it begins with one, else its instant, else its words. */
function key(cell) {
  const text = cell ? cell.textContent.trim().replaceAll("−", "-") : "";
  const time = cell ? cell.querySelector(":scope > time") : null;
  if (time) return { word: time.dateTime, number: NaN };
  const number = parseFloat(text.replace(/^[^\d+-]*?(?=[+-]?\d)/, "").replaceAll(",", ""));
  return { word: text, number: cell && cell.classList.contains("n") ? number : NaN };
}

function compare(one, other) {
  if (!Number.isNaN(one.number) || !Number.isNaN(other.number)) {
    // What is no number comes last in either order's first half.
    if (Number.isNaN(one.number)) return -1;
    if (Number.isNaN(other.number)) return 1;
    return one.number - other.number;
  }
  return one.word.localeCompare(other.word);
}

function sort(table, column, header) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, key: key(row.cells[column]) }));
  rows.sort((a, b) => (descending ? compare(b.key, a.key) : compare(a.key, b.key)));
  body.append(...rows.map((entry) => entry.row));
}

function makeSortable(root) {
  for (const table of root.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sort(table, column, header));
      header.append(button);
    });
  }
}

/** Asks for the page again and shows what came; leaves the page alone while somebody reads its details. */
async function refresh() {
  const busy = document.hidden || document.querySelector("details[open]") || String(getSelection());
  if (busy) return;
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = next.querySelector("main");
  if (!main) return;
  document.querySelector("main").innerHTML = main.innerHTML;
  makeSortable(document.querySelector("main"));
  if (!next.body.dataset.live) clearInterval(timer);
}

makeSortable(document);
const seconds = Number(document.body.dataset.live);
const timer = seconds > 0 ? setInterval(() => refresh().catch(() => {}), seconds * 1000) : 0;
