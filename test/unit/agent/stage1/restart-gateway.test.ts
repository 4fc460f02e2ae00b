import { expect, test } from "vitest";
import { restartGateway } from "../../../../agent/stage1/boot/restart-gateway.ts";
import { recordingRun } from "../recording-run.ts";

test("later is nobody's order", async () => {
  const { run, commands } = recordingRun();
  expect(await restartGateway("later", "B", run)).toBeUndefined();
  expect(commands).toEqual([]);
});

test("a time goes to shutdown, which outlives us", async () => {
  const { run, commands } = recordingRun();
  expect(await restartGateway("03:30", "B", run)).toBeUndefined();
  expect(commands).toEqual(["shutdown -r 03:30 dualroot: slot B boots next"]);
});

test("what cannot be arranged is told, not thrown: the upgrade is done", async () => {
  const run = () => Promise.reject(new Error("shutdown is not installed"));
  expect(await restartGateway("03:30", "B", run)).toBe("shutdown is not installed");
});
