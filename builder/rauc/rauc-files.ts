import type { OverlayEntry } from "../rootfs/overlay.ts";
import { rawPath } from "../rootfs/raw-path.ts";
import type { RaucPlan } from "./plan-rauc.ts";
import { raucPlaces } from "./rauc-places.ts";

/** What a release with a `rauc` section lays into the target; the release's own files stay. */
export function raucFiles(plan: RaucPlan | undefined): OverlayEntry[] {
  if (!plan) return [];
  const file = (path: string, given: { text: string } | "own"): OverlayEntry[] =>
    given === "own"
      ? []
      : [{ path: rawPath(path.slice(1)), mode: 0o644, type: "file", content: Buffer.from(given.text) }];
  return [
    ...file(raucPlaces.systemConfig, plan.systemConfig),
    ...file(raucPlaces.keyring, plan.keyring),
    { path: rawPath(raucPlaces.markGoodService.slice(1)), mode: 0o777, type: "link", target: "/dev/null" },
  ];
}
