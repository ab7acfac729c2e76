/**
 * How the dashboard's script asks the gateway: `ask` is `fetch` with the token. Where the gateway wants one, the page asks
 * for it, and keeps it for as long as its tab is open. Bodies may be streams: only the answer's beginning is awaited.
 */
export const TOKEN_SCRIPT = `
"use strict";
const TOKEN_KEY = "hawser-token";
let tokenAsked = null;

async function ask(path, options = {}) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN_KEY);
    const headers = { ...options.headers, ...(token && { authorization: "Bearer " + token }) };
    const answer = await fetch(path, { ...options, headers });
    if (answer.status !== 401) return answer;
    // Another request may have got the right one meanwhile.
    if (sessionStorage.getItem(TOKEN_KEY) === token) await (tokenAsked ??= askForToken(token !== null));
  }
}
function askForToken(wasWrong) {
  const dialog = document.createElement("dialog");
  const form = document.createElement("form");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const button = document.createElement("button");
  label.textContent = wasWrong ? "The token is wrong. Token: " : "Token (status.token of the gateway's configuration): ";
  input.type = "password";
  input.autocomplete = "current-password";
  input.required = true;
  button.textContent = "Show";
  label.append(input);
  form.append(label, button);
  dialog.append(form);
  document.body.append(dialog);
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN_KEY, input.value.trim());
      dialog.remove();
      tokenAsked = null;
      resolve();
    };
  });
}
`;
