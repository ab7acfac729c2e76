import { useEffect, useState } from "preact/hooks";

const KEY = "hawser-theme";
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** The colours in use, `light` or `dark`, and what changes to the user's next choice. */
export function useTheme(): [used: string, change: () => void] {
  const [choice, setChoice] = useState<Theme>(() => storedChoice());
  const [isDark, setDark] = useState(prefersDark.matches);
  useEffect(() => {
    const update = (): void => setDark(prefersDark.matches);
    prefersDark.addEventListener("change", update);
    return () => prefersDark.removeEventListener("change", update);
  }, []);
  const used = choice === "auto" ? (isDark ? "dark" : "light") : choice;
  document.documentElement.dataset["theme"] = used;
  const change = (): void => {
    const next = used === "dark" ? "light" : "dark";
    // Back to what the system says: follow it from now on.
    const stored: Theme = (next === "dark") === prefersDark.matches ? "auto" : next;
    localStorage.setItem(KEY, stored);
    setChoice(stored);
  };
  return [used, change];
}

function storedChoice(): Theme {
  const stored = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === stored) ?? "auto";
}
