/**
 * As Promise.all, but only once all have ended, also when one fails: what went on writing would bring back folders that are
 * removed because of the failure.
 */
export async function allEnded<T extends readonly unknown[] | []>(
  work: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
