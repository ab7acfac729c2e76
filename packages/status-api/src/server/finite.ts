/**
 * The same value with null for each infinite or undefined number, such as a rate over no time: JSON has none, and the
 * serialiser would refuse the whole answer. It writes 0 for null where the schema has a number.
 */
export function withoutInfinities<T>(value: T): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(withoutInfinities);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutInfinities(inner)]));
}
