// Correcting by hand: boxes are moved, resized, relabelled, deleted and drawn; then the whole list is saved, as the
// real page does. Rows of other types can be relabelled and deleted.

import { area, handles, holds, LEAST, moved, resized, sides, spanned } from "./boxes.js";
import { fetched, isTyping, notice, project, send, trying } from "./page.js";
import { before } from "./task.js";

const SVG = "http://www.w3.org/2000/svg";
const STRANGE = "#8a94a3"; // a label of another schema
const REACH = 9; // pixels on the screen from which a handle is caught
const MOST_UNDO = 200;

const editor = document.getElementById("editor");
const stage = editor.querySelector(".stage");
const figure = editor.querySelector("figure");
const svg = figure.querySelector("svg");
const size = { width: Number(editor.dataset.width), height: Number(editor.dataset.height) };
const fileId = Number(editor.dataset.file);
const taskId = document.getElementById("task")?.dataset.task;
const button = (id) => document.getElementById(id);

const labels = new Map();
for (const one of editor.querySelectorAll("[data-label]"))
  labels.set(Number(one.dataset.label), {
    name: one.querySelector("span").textContent,
    colour: one.dataset.colour,
    button: one,
  });

let rows = [];
let stored = [];
let past = [];
let chosen = null; // the selected row
let label = labels.keys().next().value ?? null;
let isDrawing = false;
let drag = null;
let zoom = 1;
let isSaving = false;
let isLoaded = false;
let outlines = new Map(); // groups by the id of their instance

// -- rows; none is ever changed, only replaced, so that what was before can be kept

const live = () => rows.filter((row) => !row.soft_delete);
const boxes = () => live().filter((row) => row.type === "box");
const nameOf = (row) => labels.get(row.label_file_id)?.name ?? row.label_file?.label?.name ?? row.type;
const scoreOf = (row) => row.score?.toFixed(2) ?? "";
const captionOf = (row) => `${nameOf(row)} ${scoreOf(row)}`.trim();
const colourOf = (row) => labels.get(row.label_file_id)?.colour ?? STRANGE;
const content = (row) => JSON.stringify([row.label_file_id, Boolean(row.soft_delete), ...sides(row)]);

function changes() {
  const known = new Map(stored.map((row) => [row.id, content(row)]));
  return rows.filter((row) => row.id === undefined || known.get(row.id) !== content(row)).length;
}

function keep() {
  past.push({ rows, chosen: rows.indexOf(chosen) });
  if (past.length > MOST_UNDO) past.shift();
}

function undo() {
  const last = past.pop();
  if (!last) return;
  rows = last.rows;
  chosen = rows[last.chosen] ?? null;
  show();
}

function change(row, values) {
  const made = { ...row, ...values };
  rows = rows.map((one) => (one === row ? made : one));
  if (chosen === row) chosen = made;
  return made;
}

const placed = (made) => ({ ...made, width: made.x_max - made.x_min, height: made.y_max - made.y_min });

function relabel(id) {
  label = id;
  if (chosen && chosen.label_file_id !== id) {
    keep();
    change(chosen, { label_file_id: id });
  }
  show();
}

function remove() {
  if (!chosen) return;
  keep();
  if (chosen.id === undefined) rows = rows.filter((row) => row !== chosen);
  else change(chosen, { soft_delete: true });
  chosen = null;
  show();
}

function add(made) {
  chosen = {
    type: "box",
    label_file_id: label,
    creation_ref_id: reference(),
    ...placed(made),
    change_source: "ui_diffgram_frontend",
  };
  rows = [...rows, chosen];
}

function reference() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function step(by) {
  const all = live();
  if (!all.length) return;
  const at = all.indexOf(chosen);
  chosen = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length];
  show();
}

function nudge(dx, dy, isResizing) {
  if (chosen?.type !== "box") return;
  keep();
  const corner = { x: chosen.x_max + dx, y: chosen.y_max + dy };
  change(chosen, placed(isResizing ? resized(chosen, "se", corner, size) : moved(chosen, { x: dx, y: dy }, size)));
  show();
}

// -- loading and saving

async function load() {
  const path = `/api/project/${encodeURIComponent(project)}/file/${fileId}/annotation/list`;
  const answer = await send(path, {});
  stored = answer.file_serialized.instance_list;
  rows = stored;
  isLoaded = true;
  past = [];
  chosen = null;
  show();
}

async function save() {
  if (!changes()) return true;
  if (isSaving) return false;
  isSaving = true;
  show();
  const body = { instance_list: rows, and_complete: false, gold_standard_file: null, video_data: null };
  const ofFile = `/api/project/${encodeURIComponent(project)}/file/${fileId}/annotation/update`;
  const path = taskId ? `/api/v1/task/${taskId}/annotation/update` : ofFile;
  const isDone = await trying(async () => tell(await send(path, body)), "Not saved.");
  isSaving = false;
  if (isDone) await trying(reload, "Saved, but what is stored could not be read.");
  else show();
  return isDone;
}
before.save = save;

function tell(answer) {
  const lost = answer.log.warning?.missing_ids ?? [];
  const done = { edited: 0, created: 0, deleted: 0 };
  for (const row of answer.added_instances) if (row.action_type in done) done[row.action_type] += 1;
  const words = [
    [done.edited, "changed"],
    [done.created, "drawn"],
    [done.deleted, "deleted"],
  ].filter(([amount]) => amount);
  const told = `Saved: ${words.map(([amount, word]) => `${amount} ${word}`).join(", ") || "nothing new"}.`;
  if (!lost.length) return notice(told);
  const what = lost.length === 1 ? "1 instance that was" : `${lost.length} instances that were`;
  notice(`${told} This page was old: ${what} added meanwhile ${lost.length === 1 ? "is" : "are"} deleted now.`, true);
}

async function reload() {
  await load();
  const fresh = await fetched();
  document.getElementById("stored").replaceWith(fresh.getElementById("stored"));
  keepOutlines(fresh.querySelector("#editor figure svg"));
  show();
}

// -- showing

function element(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const scale = () => svg.getBoundingClientRect().width / size.width || 1;

function show() {
  showPicture();
  showSide();
}

function showPicture() {
  if (!isLoaded) return;
  svg.replaceChildren(...live().flatMap((row) => (row.type === "box" ? drawn(row) : (outlined(row) ?? []))));
  if (chosen?.type === "box") svg.append(grips(chosen));
}

// Shapes of other types are drawn by the server; here they get the colour of their label.
function outlined(row) {
  const group = outlines.get(String(row.id));
  for (const name of ["stroke", "fill"]) group?.setAttribute(name, colourOf(row));
  for (const one of group?.querySelectorAll("text, title") ?? []) one.textContent = captionOf(row);
  group?.classList.toggle("chosen", row === chosen);
  return group;
}

function keepOutlines(picture) {
  outlines = new Map();
  for (const group of picture.querySelectorAll("g[data-instance]")) outlines.set(group.dataset.instance, group);
}

function drawn(row) {
  const unit = 1 / scale();
  const colour = colourOf(row);
  const y = row.y_min - 4 * unit;
  return element(
    "g",
    { stroke: colour, fill: colour, class: row === chosen ? "chosen" : "", "data-instance": row.id ?? "" },
    element("rect", {
      x: row.x_min,
      y: row.y_min,
      width: row.x_max - row.x_min,
      height: row.y_max - row.y_min,
    }),
    element(
      "text",
      {
        x: row.x_min + unit,
        y: y < 12 * unit ? row.y_min + 13 * unit : y,
        "font-size": 12 * unit,
        "stroke-width": 3 * unit,
      },
      captionOf(row),
    ),
  );
}

function grips(row) {
  const radius = 4.5 / scale();
  const made = element("g", { class: "grips", stroke: colourOf(row) });
  for (const [name, [x, y]] of handles(row)) made.append(element("circle", { class: `grip ${name}`, cx: x, cy: y, r: radius }));
  return made;
}

function showSide() {
  const amount = changes();
  button("save").disabled = !amount || isSaving;
  button("undo").disabled = !past.length;
  button("delete").disabled = !chosen;
  button("draw").disabled = label === null;
  button("draw").setAttribute("aria-pressed", isDrawing);
  const all = live().length;
  const unsaved = amount === 1 ? "1 change is not saved" : `${amount} changes are not saved`;
  button("state").textContent = isSaving ? "Saving …" : amount ? unsaved : `${all} instance${all === 1 ? "" : "s"}, all saved`;
  const current = chosen?.label_file_id ?? label;
  for (const [id, one] of labels) one.button.setAttribute("aria-pressed", id === current);
  button("rows").replaceChildren(...live().map(listed));
  figure.classList.toggle("drawing", isDrawing);
  const shown = button("rows").querySelector("[aria-current]");
  if (shown && !drag) shown.scrollIntoView({ block: "nearest" });
}

function listed(row) {
  const item = document.createElement("li");
  const entry = document.createElement("button");
  const swatch = element("svg", { class: "swatch", viewBox: "0 0 10 10" });
  swatch.append(element("rect", { width: 10, height: 10, rx: 2, fill: colourOf(row) }));
  const name = document.createElement("span");
  name.textContent = nameOf(row);
  const facts = document.createElement("span");
  facts.className = "quiet";
  const version = row.version > 1 ? `v${row.version}` : "";
  const kind = row.type === "box" ? "" : row.type.replaceAll("_", " ");
  facts.textContent = [row.id === undefined ? "new" : "", kind, scoreOf(row), version].filter(Boolean).join(" · ");
  entry.append(swatch, name, facts);
  entry.title = row.creation_ref_id ?? "";
  if (row === chosen) entry.setAttribute("aria-current", "true");
  entry.addEventListener("click", () => {
    chosen = row;
    show();
    stage.focus({ preventScroll: true });
  });
  item.append(entry);
  return item;
}

function fit() {
  const room = stage.clientWidth;
  const tall = Math.max(240, window.innerHeight * 0.76);
  const wide = Math.min(room, (tall * size.width) / size.height, Math.max(size.width * 4, 320));
  figure.style.width = `${wide * zoom}px`;
  showPicture();
}

function magnify(factor) {
  zoom = factor === null ? 1 : Math.min(Math.max(zoom * factor, 0.5), 12);
  fit();
}

// -- the mouse, the pen, the finger

function pointOf(event) {
  const frame = svg.getBoundingClientRect();
  return {
    x: ((event.clientX - frame.left) / frame.width) * size.width,
    y: ((event.clientY - frame.top) / frame.height) * size.height,
  };
}

function gripAt(point) {
  if (chosen?.type !== "box") return null;
  const reach = REACH / scale();
  const near = handles(chosen)
    .map(([name, [x, y]]) => [name, Math.hypot(x - point.x, y - point.y)])
    .filter(([, distance]) => distance <= reach)
    .sort((one, other) => one[1] - other[1]);
  return near[0]?.[0] ?? null;
}

function under(point, target) {
  const found = boxes().filter((row) => holds(row, point)).sort((one, other) => area(one) - area(other));
  if (found.length) return found[0];
  const group = target.closest?.("g[data-instance]");
  return group ? (live().find((row) => String(row.id) === group.dataset.instance) ?? null) : null;
}

svg.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || drag) return;
  event.preventDefault();
  stage.focus({ preventScroll: true });
  svg.setPointerCapture(event.pointerId);
  const point = pointOf(event);
  const found = under(point, event.target);
  const grip = isDrawing || event.shiftKey ? null : gripAt(point);
  drag = { point, found, row: chosen, kind: "draw", hasMoved: false };
  if (grip) drag.kind = grip;
  else if (!isDrawing && !event.shiftKey && found) {
    drag.kind = "move";
    if (!(chosen?.type === "box" && holds(chosen, point))) drag.row = found;
  }
  drag.start = drag.row;
});

svg.addEventListener("pointermove", (event) => {
  if (!drag) return hint(event);
  const point = pointOf(event);
  const distance = Math.hypot(point.x - drag.point.x, point.y - drag.point.y) * scale();
  if (!drag.hasMoved && distance < 3) return;
  if (!drag.hasMoved) {
    if (drag.kind === "draw" ? label === null : drag.row.type !== "box") return;
    keep();
    drag.hasMoved = true;
  }
  if (drag.kind === "draw") {
    if (drag.made) rows = rows.slice(0, -1);
    add(spanned(drag.point, point, size));
    drag.made = true;
  } else {
    const by = { x: point.x - drag.point.x, y: point.y - drag.point.y };
    const made = drag.kind === "move" ? moved(drag.start, by, size) : resized(drag.start, drag.kind, point, size);
    chosen = drag.row;
    drag.row = change(chosen, placed(made));
  }
  showPicture();
});

function drop(isGood) {
  if (!drag) return;
  const { kind, hasMoved, made, found } = drag;
  const isTiny = made && (chosen.x_max - chosen.x_min < LEAST || chosen.y_max - chosen.y_min < LEAST);
  drag = null;
  if (hasMoved && (!isGood || isTiny)) return undo();
  if (!hasMoved && (kind === "move" || kind === "draw")) chosen = found;
  if (made) isDrawing = false;
  show();
}
svg.addEventListener("pointerup", () => drop(true));
svg.addEventListener("pointercancel", () => drop(false));

function hint(event) {
  const point = pointOf(event);
  const grip = isDrawing || event.shiftKey ? null : gripAt(point);
  const found = grip ? null : under(point, event.target);
  svg.dataset.pointer = grip ?? (!isDrawing && !event.shiftKey && found ? "move" : "draw");
}

// -- buttons and keys

button("save").addEventListener("click", save);
button("undo").addEventListener("click", undo);
button("delete").addEventListener("click", remove);
button("draw").addEventListener("click", toggleDrawing);
for (const [id, one] of labels) one.button.addEventListener("click", () => relabel(id));

function toggleDrawing() {
  isDrawing = !isDrawing && label !== null;
  show();
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function press(event) {
  const { key } = event;
  const far = event.shiftKey ? 10 : 1;
  if ((event.ctrlKey || event.metaKey) && key === "z") undo();
  else if (((event.ctrlKey || event.metaKey) && key === "s") || key === "s") save();
  else if (event.ctrlKey || event.metaKey) return false;
  else if (key in ARROWS && chosen?.type === "box") nudge(ARROWS[key][0] * far, ARROWS[key][1] * far, event.altKey);
  else if (event.altKey) return false;
  else if (key === "Delete" || key === "Backspace") remove();
  else if (key === "Escape") {
    if (drag) drop(false);
    isDrawing = false;
    chosen = null;
    show();
  } else if (key === "d") toggleDrawing();
  else if (key === ".") step(1);
  else if (key === ",") step(-1);
  else if (key === "+" || key === "=") magnify(1.25);
  else if (key === "-") magnify(0.8);
  else if (key === "0") magnify(null);
  else if (/^[1-9]$/.test(key) && [...labels.keys()][key - 1] !== undefined) relabel([...labels.keys()][key - 1]);
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!isTyping(event) && press(event)) event.preventDefault();
});
window.addEventListener("beforeunload", (event) => {
  if (changes()) event.preventDefault();
});
keepOutlines(svg);
new ResizeObserver(fit).observe(stage);

await trying(load, "What is stored could not be read.");
