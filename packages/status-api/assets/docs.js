/** The script of `GET /docs`: draws the OpenAPI document that stands in the page. */
/* global SwaggerUIBundle */

/** Where the dashboard keeps the user's choice of colours, and the token for this tab. */
const THEME_KEY = "hawser-theme";
const TOKEN_KEY = "hawser-token";

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** In the colours of the dashboard: those that the user chose there or, without a choice, the system's. */
function applyTheme() {
  const choice = localStorage.getItem(THEME_KEY);
  const isDark = choice === "dark" || (choice !== "light" && prefersDark.matches);
  document.documentElement.classList.toggle("dark-mode", isDark);
}

applyTheme();
prefersDark.addEventListener("change", applyTheme);

SwaggerUIBundle({
  domNode: document.getElementById("docs"),
  spec: JSON.parse(document.getElementById("openapi").textContent),
  docExpansion: "list",
  // Fields with their meanings come before examples.
  defaultModelRendering: "model",
  defaultModelExpandDepth: 4,
  // Schemas stand with the requests that they belong to; there is no list of them all.
  defaultModelsExpandDepth: -1,
  requestInterceptor(request) {
    const token = sessionStorage.getItem(TOKEN_KEY);
    if (token !== null) request.headers.authorization = `Bearer ${token}`;
    return request;
  },
});
