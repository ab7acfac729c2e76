/** Figures for people, in decimal units, as network equipment and disks are sold. */

/** `8.4 Mbit/s`, of bits per second. */
export function formatRate(bps: number): string {
  return scaled(bps, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);
}

/** `1.2 GB`, of bytes. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB"]);
}

/** `23`, or `0.4` below ten; `-` when it is not known. */
export function formatMs(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 9.95 ? ms.toFixed(1) : String(Math.round(ms));
}

/** `3 h 12 min`: the two largest units, of seconds. */
export function formatAge(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3600) % 24} h`;
}

/** `rests for 8 s more: ...`, of a path's `restsUntil`. `now` is in ms, as of `Date.now()`. */
export function formatRest(until: string, now: number): string {
  return `rests for ${formatAge((Date.parse(until) - now) / 1_000)} more: it held up more than it carried`;
}

/** `1 flow`, `2 flows`. */
export function formatCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** `18:09:05`, in local time. The page and the terminal have the same clock. */
export function formatTime(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** `2026-02-01`, in local time. */
export function formatDay(date: Date): string {
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}

/** Text that others have chosen, for a terminal: each character but printable ASCII becomes `?`. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, "?");
}

/** At most `width` columns; `…` stands for what is cut off. */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function scaled(value: number, units: readonly string[]): string {
  let unit = 0;
  let scaledValue = value;
  // 999.5 would be written as 1000.
  while (scaledValue >= 999.5 && unit < units.length - 1) {
    scaledValue /= 1000;
    unit++;
  }
  const digits = unit > 0 && scaledValue < 9.95 ? 1 : 0;
  return `${scaledValue.toFixed(digits)} ${units[unit]}`;
}
