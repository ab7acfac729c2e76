/** Waits for the work. @throws Error when it takes longer than that */
export async function bounded<T>(work: Promise<T>, what: string, limitMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} took longer than ${(limitMs / 1000).toFixed(0)} s`)),
    limitMs,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
