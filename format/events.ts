/**
 * What happens, as values. Engines emit them; renderers (terminal, plain lines, consoles, JSON) draw them.
 * The same three words everywhere: started, finished, failed.
 */
export type Event =
  | { kind: "started"; step: string; title: string; number?: number; of?: number }
  /** `done` of `total` in any one unit; overall percent and time left are the renderer's arithmetic. */
  | { kind: "progress"; step: string; done: number; total: number; unit?: "bytes" | "files" | "steps" }
  | { kind: "finished"; step: string; title: string; seconds: number }
  | { kind: "failed"; step: string; title: string; message: string }
  | { kind: "note"; level: "info" | "warn"; message: string }
  /** Full detail (argv, output) for logs, never for screens. */
  | { kind: "detail"; message: string };

export type Reporter = (event: Event) => void;

export const silent: Reporter = () => {};

/** Sends each event to every renderer; one that throws (a dead console) must never stop the work. */
export function fanOut(reporters: readonly Reporter[]): Reporter {
  return (event) => {
    for (const reporter of reporters) {
      try {
        reporter(event);
      } catch {
        // A display may die, the conversion may not.
      }
    }
  };
}

/** Wraps one operation in started / finished / failed. */
export async function reportStep<T>(
  report: Reporter,
  step: { step: string; title: string; number?: number; of?: number },
  work: () => Promise<T>,
): Promise<T> {
  const begin = performance.now();
  report({ kind: "started", ...step });
  try {
    const result = await work();
    report({
      kind: "finished",
      step: step.step,
      title: step.title,
      seconds: (performance.now() - begin) / 1000,
    });
    return result;
  } catch (error) {
    report({
      kind: "failed",
      step: step.step,
      title: step.title,
      message: error instanceof Error ? error.message : String(error),
    });
    throw error;
  }
}
