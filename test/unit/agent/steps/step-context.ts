import type { StepContext } from "../../../../agent/steps/step-context.ts";
import { silent } from "../../../../format/events.ts";
import { recordingRun } from "../recording-run.ts";

/** What a step under test may use; whatever it is not given throws when touched. */
export function stepContext(given: Partial<StepContext>): StepContext {
  const nothing = (): void => {};
  const base = {
    run: recordingRun().run,
    report: silent,
    notes: [],
    changed: [],
    written: new Map(),
    oldSystem: undefined,
    without: new Set(),
    noReturn: { diskChanged: nothing, armed: nothing, notArmed: nothing },
    ...given,
  };
  return new Proxy(base as StepContext, {
    get: (target, key) => {
      if (!(key in target))
        throw new Error(`the step used context.${String(key)}, which this test does not give`);
      return Reflect.get(target, key);
    },
  });
}
