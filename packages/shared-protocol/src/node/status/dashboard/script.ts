/**
 * The dashboard's script, as the browser runs it. Everything that the gateway says is set as text, never as HTML.
 * Rows are kept and changed in place, so that an open role menu survives the next answer.
 */
export const SCRIPT = `
"use strict";
const PERIOD_MS = 1000, TIMEOUT_MS = 5000, MAX_FLOWS = 100;
const NUMBERS = new Set(["Subflows", "RTT ms", "Share"]);
const byId = (id) => document.getElementById(id);
let lastAnswer = null;
// Full bars are the best rate seen on any path, at least 1 Mbit/s.
let fullRate = 1e6;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}
function scaled(value, units, step) {
  let i = 0;
  while (value >= step * 0.9995 && i < units.length - 1) { value /= step; i++; }
  return (i === 0 ? Math.round(value) : value < 9.95 ? value.toFixed(1) : Math.round(value)) + " " + units[i];
}
const rate = (bps) => scaled(bps, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"], 1000);
const size = (bytes) => scaled(bytes, ["B", "kB", "MB", "GB", "TB"], 1000);
const ms = (value) => value === null ? "\\u2013" : value < 10 ? value.toFixed(1) : String(Math.round(value));
function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min " + (s % 60) + " s";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s / 60) % 60 + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s / 3600) % 24 + " h";
}
function setState(element, state) {
  element.className = "state " + (/^[a-z]+$/.test(state) ? state : "");
  element.textContent = state;
}

// Children of parent, one for each item, made once and then updated.
function keyed(parent, items, keyOf, build, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let previous = null;
  for (const item of items) {
    const key = keyOf(item);
    let child = old.get(key);
    if (child) old.delete(key);
    else { child = build(item); child.dataset.key = key; }
    update(child, item);
    const next = previous ? previous.nextSibling : parent.firstChild;
    if (next !== child) parent.insertBefore(child, next);
    previous = child;
  }
  for (const child of old.values()) child.remove();
}

function buildSession() {
  const head = ["Path", "State", "Role", "Subflows", "RTT ms", "Sending", "Receiving", "Share", "Note"];
  const card = make("section", "card",
    make("div", "head", make("h2"), make("span", "state"), make("span", "soft counts")),
    make("table", "", make("thead", "", make("tr", "", ...head.map((text) => make("th", NUMBERS.has(text) ? "num" : "", text)))), make("tbody")));
  return card;
}
function updateSession(card, session, report) {
  card.querySelector("h2").textContent = session.peer;
  setState(card.querySelector(".state"), session.state);
  const { flows, bytes } = session;
  card.querySelector(".counts").textContent =
    flows.open + " flows open, " + flows.total + " in all, " + flows.failed + " failed; " +
    size(bytes.sent) + " sent, " + size(bytes.received) + " received, " + size(bytes.reinjected) + " sent again";
  const sum = session.paths.reduce((all, path) => all + path.sentBytes + path.receivedBytes, 0);
  keyed(card.querySelector("tbody"), session.paths, (path) => path.name,
    () => buildPath(report.role === "local"), (row, path) => updatePath(row, path, sum));
}

function buildPath(canSetRole) {
  const bar = (kind) => make("td", "", make("span"), make("div", "bar " + kind, make("i")));
  const role = make("td");
  if (canSetRole) {
    const menu = make("select", "", ...["active", "backup", "disabled"].map((text) => make("option", "", text)));
    menu.ariaLabel = "role";
    role.append(menu);
  }
  return make("tr", "", make("td"), make("td", "", make("span")), role, make("td", "num"), make("td", "num"),
    bar("send"), bar("receive"), make("td", "num"), make("td", "wrap soft"));
}
function updatePath(row, path, sum) {
  const cells = row.children;
  cells[0].textContent = path.name;
  setState(cells[1].firstChild, path.state);
  cells[1].title = "since " + path.since;
  const menu = cells[2].querySelector("select");
  if (!menu) cells[2].textContent = path.role;
  else {
    if (document.activeElement !== menu) menu.value = path.role;
    menu.onchange = () => setRole(path.name, menu);
  }
  cells[3].textContent = path.subflows;
  cells[4].textContent = ms(path.rttMs);
  cells[4].title = "least " + ms(path.minRttMs) + " ms";
  setBar(cells[5], path.sendRateBps);
  setBar(cells[6], path.receiveRateBps);
  cells[7].textContent = sum === 0 ? "\\u2013" : Math.round(100 * (path.sentBytes + path.receivedBytes) / sum) + " %";
  cells[8].textContent = path.lastError === null ? "" : "last error: " + path.lastError;
}
function setBar(cell, bps) {
  cell.firstChild.textContent = rate(bps);
  cell.lastChild.firstChild.style.width = Math.min(100, 100 * bps / fullRate) + "%";
}

async function setRole(name, menu) {
  menu.blur();
  try {
    const answer = await ask("/api/paths/" + encodeURIComponent(name), {
      method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify({ role: menu.value }),
    });
    if (!answer.ok) alert("The role was not changed: " + ((await answer.json()).detail ?? answer.status));
  } catch (error) {
    alert("The role was not changed: " + error.message);
  }
}

function showFlows(flows) {
  const largest = flows.map((flow) => ({ ...flow, bytes: flow.sentBytes + flow.receivedBytes }))
    .sort((a, b) => b.bytes - a.bytes).slice(0, MAX_FLOWS);
  byId("flow-count").textContent = flows.length === 0 ? "none open"
    : flows.length > MAX_FLOWS ? MAX_FLOWS + " largest of " + flows.length : String(flows.length);
  byId("flow-table").hidden = flows.length === 0;
  keyed(byId("flows"), largest, (flow) => (flow.peer ?? "") + "/" + flow.id,
    () => make("tr", "", ...["wrap", "wrap", "", "num", "num", "num", "wrap soft"].map((kind) => make("td", kind))),
    (row, flow) => {
      const shares = flow.paths.map((share) => share.name + " " + (flow.bytes === 0 ? 0
        : Math.round(100 * (share.sentBytes + share.receivedBytes) / flow.bytes)) + " %");
      [flow.from, flow.to, flow.kind, age(flow.ageSeconds), size(flow.sentBytes), size(flow.receivedBytes),
        shares.join(", ")].forEach((text, i) => { row.children[i].textContent = text; });
    });
}

function show(report, flows) {
  document.title = "Hawser " + report.role;
  byId("title").textContent = "Hawser, " + report.role + " gateway";
  byId("about").textContent = report.version + ", up " + age(report.uptimeSeconds);
  const sessions = report.role === "local" ? [report.session] : report.sessions;
  const paths = sessions.flatMap((session) => session.paths);
  fullRate = Math.max(fullRate, ...paths.flatMap((path) => [path.sendRateBps, path.receiveRateBps]));
  byId("scale").textContent = "full bar: " + rate(fullRate);
  byId("nobody").hidden = sessions.length > 0;
  // A peer may have several sessions for a moment.
  const seen = new Map();
  const numbered = sessions.map((session) => {
    const count = seen.get(session.peer) ?? 0;
    seen.set(session.peer, count + 1);
    return { key: session.peer + "#" + count, session };
  });
  keyed(byId("sessions"), numbered, (item) => item.key, buildSession,
    (card, item) => updateSession(card, item.session, report));
  showFlows(flows);
}

async function get(path) {
  const answer = await ask(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(path + " answered " + answer.status);
  return answer.json();
}
function trouble(error) {
  byId("trouble").hidden = !error;
  byId("content").classList.toggle("stale", Boolean(error));
  if (error) byId("trouble").textContent = "The gateway does not answer (" + error.message + "). " +
    (lastAnswer ? "What is below is from " + lastAnswer.toLocaleTimeString() + "." : "");
}
async function poll() {
  try {
    const [report, flows] = await Promise.all([get("/api/status"), get("/api/flows")]);
    lastAnswer = new Date();
    trouble(null);
    show(report, flows);
  } catch (error) {
    trouble(error);
  }
  setTimeout(poll, PERIOD_MS);
}
poll();
`;
