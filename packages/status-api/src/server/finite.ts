/** A rate over no time at all must not cost the whole answer: null, or 0 where null is not allowed. */
export function withoutInfinities<T>(value: T): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(withoutInfinities);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutInfinities(inner)]));
}
