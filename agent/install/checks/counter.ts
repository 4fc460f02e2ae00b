import { judgeCounter } from "../../checks/counter.ts";
import type { InstallCheck } from "./install-check.ts";

/** The same question as at a conversion, of a gateway that has committed releases. */
export const counter: InstallCheck = {
  name: "counter",
  title: "Anti-rollback",
  run: ({ manifest, manifestSha256, install }) =>
    judgeCounter({
      manifest,
      manifestSha256,
      counterFloor: install.counterFloor,
      permit: install.permit,
    }),
};
