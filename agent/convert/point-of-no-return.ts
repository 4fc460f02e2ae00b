import type { PointOfNoReturn } from "../steps/step-context.ts";
import { markArmed, markDiskChanged, unmarkArmed } from "./disk-changed.ts";
import type { Draft } from "./draft-report.ts";

/** Leaves the markers for whoever comes after this process. */
export function pointOfNoReturn(draft: Draft): PointOfNoReturn {
  return {
    diskChanged: () => {
      markDiskChanged();
      draft.diskChanged = true;
    },
    armed: markArmed,
    notArmed: () => {
      unmarkArmed();
      draft.diskChanged = false;
    },
  };
}
