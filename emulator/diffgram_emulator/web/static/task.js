// What a person does with the task before them: complete, approve, ask for changes, put off, open again.

import { isTyping, notice, send, trying } from "./page.js";

const place = document.getElementById("task");
// Set by the editor: saves what is not saved yet, and tells whether it could.
export const before = { save: async () => true };

const acts = {
  complete: (id) => send(`/api/v1/task/${id}/complete`, {}),
  approve: (id) => send(`/api/v1/task/${id}/review`, { action: "approve" }),
  request_change: (id, comment) => send(`/api/v1/task/${id}/review`, { action: "request_change", comment }),
  toggle_deferred: (id) => send("/api/v1/task/update", { task_id: id, mode: "toggle_deferred" }),
  incomplete: (id) => send("/api/v1/task/update", { task_id: id, mode: "incomplete" }),
};
const STAYS = ["incomplete"];
let isAtWork = false;

async function work(kind) {
  if (!place || isAtWork || !place.querySelector(`[data-work="${kind}"]`)) return;
  isAtWork = true;
  const id = Number(place.dataset.task);
  const comment = place.querySelector("input[name=comment]")?.value ?? "";
  const went = await trying(async () => {
    if (!(await before.save())) throw new Error("First save what you corrected.");
    await acts[kind](id, comment);
  }, "The task stays as it was.");
  isAtWork = false;
  if (!went) return;
  const { following, job } = place.dataset;
  if (STAYS.includes(kind)) location.reload();
  else location.assign(following ? `/task/${following}` : `/job/${job}`);
}

for (const one of place?.querySelectorAll("button[data-work]") ?? [])
  one.addEventListener("click", () => work(one.dataset.work));
place?.querySelector("form[data-work]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  work("request_change");
});

document.addEventListener("keydown", (event) => {
  if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "c") work("complete");
  else if (event.key === "a") work("approve");
  else if (event.key === "r" && place?.querySelector("input[name=comment]")) {
    event.preventDefault();
    place.querySelector("input[name=comment]").focus();
    notice("Say what to change, then press Enter.");
  } else if (event.key === "n") document.getElementById("next")?.click();
  else if (event.key === "p") document.getElementById("previous")?.click();
});
