import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planInstall } from "../../../../agent/install/plan/install-plan.ts";
import { createUpgradeDraft, upgradeReportName } from "../../../../agent/install/upgrade-draft.ts";
import { dualPlanInput } from "./example-dual.ts";

function draftIn(stateFolder: string) {
  const context = { plan: planInstall(dualPlanInput()), notes: ["earlier"], identityTable: [] };
  return createUpgradeDraft({ stateFolder, bootId: "x", installedBy: "upgrade", context: () => context });
}

test("the report is there from the first moment on, and says at last how it ended", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "draft-")), "dualroot");
  const draft = draftIn(folder);
  const outcome = (): unknown => JSON.parse(readFileSync(join(folder, upgradeReportName), "utf8"));
  await draft.save("running");
  expect(outcome()).toMatchObject({ outcome: "running", notes: ["earlier"] });
  expect(await draft.save("activated")).toEqual(outcome());
  expect(outcome()).toMatchObject({ outcome: "activated", notes: ["earlier"] });
});

test("a report that cannot be saved stops an upgrade before its first write only", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "draft-")), "in-the-way");
  writeFileSync(file, "");
  await expect(draftIn(file).save("running")).rejects.toThrow("EEXIST");
  for (const outcome of ["activated", "adopted", "failed", "interrupted"] as const) {
    const report = await draftIn(file).save(outcome);
    expect(report.outcome).toBe(outcome);
    expect(report.notes).toEqual([
      "earlier",
      expect.stringMatching(/^The report of this upgrade could not be saved: EEXIST/),
    ]);
  }
});
