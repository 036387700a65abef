// What every page needs: requests as the reviewer, notices, forms that create things, and lists that stay fresh.

export const project = document.body.dataset.project;
const mayWrite = "mayWrite" in document.body.dataset;
const ofProject = `/api/v1/project/${encodeURIComponent(project)}`;

const PATIENCE = 6;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

let entered = null;

async function logIn() {
  const path = `/studio/login/${encodeURIComponent(project)}`;
  const answer = await fetch(path, { method: "POST", headers: { "X-Emulator-Page": "1" } });
  if (!answer.ok) throw new Error(`The emulator let nobody in: ${reason(await answer.text())}`);
}

// Returns the answer of an endpoint for people; waits when there were too many requests.
export async function send(path, body, { times = PATIENCE, mayLogIn = true } = {}) {
  entered ??= logIn();
  await entered;
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if ((answer.status === 401 || answer.status === 403) && mayLogIn) {
    entered = null; // another emulator's page on this computer may have taken the cookie over
    return send(path, body, { times, mayLogIn: false });
  }
  if (answer.status === 429 && times > 0) {
    await pause(1000);
    return send(path, body, { times: times - 1, mayLogIn });
  }
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status}: ${reason(text)}`);
  return JSON.parse(text);
}

// Returns what an error body says, in a few words.
function reason(text) {
  try {
    const body = JSON.parse(text);
    const errors = body.log?.error ?? body.error ?? body.message ?? body;
    const found = typeof errors === "string" ? errors : Object.values(errors).map(String).join("; ");
    return found.slice(0, 400);
  } catch {
    return text.replace(/<[^>]*>/g, " ").trim().slice(0, 400);
  }
}

let fading = 0;

export function notice(text, isBad = false) {
  const place = document.getElementById("notice");
  clearTimeout(fading);
  place.textContent = text;
  place.className = isBad ? "bad" : "";
  place.hidden = false;
  if (!isBad) fading = setTimeout(() => (place.hidden = true), 4000);
}

// Runs something that may fail; what went wrong is shown. Returns whether it went well.
export async function trying(act, what) {
  try {
    await act();
    return true;
  } catch (error) {
    notice(`${what} ${error.message}`, true);
    return false;
  }
}

// Returns this page as it would be now.
export async function fetched() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`the page answers ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

const create = {
  async dataset(values) {
    const body = { nickname: values.get("name"), access_type: "project" };
    const made = await send(`${ofProject}/directory/new`, body);
    const name = encodeURIComponent(project);
    location.assign(`/studio/annotate/${name}/explorer?dataset_id=${made.new_directory.id}`);
  },
  async label(values) {
    await send(`${ofProject}/label/new`, { name: values.get("name"), colour: { hex: values.get("colour") } });
    location.reload();
  },
  async job(values) {
    const reviewed = values.get("allow_reviews") !== null;
    const dataset = { directory_id: Number(values.get("dataset_id")), selected: "sync" };
    const made = await send(`${ofProject}/job/new`, {
      name: values.get("name"),
      instance_type: "box",
      allow_reviews: reviewed,
      review_chance: reviewed ? 100 : 0,
      attached_directories_dict: { attached_directories_list: [dataset] },
    });
    await send("/api/v1/job/launch", { job_id: made.job.id });
    location.assign(`/job/${made.job.id}`);
  },
};

if (mayWrite) {
  for (const form of document.querySelectorAll("form[data-create]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      const what = form.dataset.create;
      await trying(() => create[what](new FormData(form)), `The ${what} was not created.`);
      button.disabled = false;
    });
  }
}

async function keepFresh() {
  for (let place; (place = document.querySelector("#live[data-live]")); ) {
    await pause(1000 * Number(place.dataset.live));
    if (document.hidden) continue;
    try {
      const fresh = (await fetched()).getElementById("live");
      if (fresh) document.getElementById("live").replaceWith(fresh);
    } catch {
      await pause(5000); // the emulator is away; it may come back
    }
  }
}
keepFresh();

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !isTyping(event)) {
    const field = document.querySelector(".search input[type=search]");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
});

// Tells whether a key belongs to a field or to the browser.
export function isTyping(event) {
  return event.target.closest?.("input:not([type=checkbox]), textarea, select") !== null;
}
