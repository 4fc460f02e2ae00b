import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeResumeRecord, startsAtMost } from "../../../agent/boot/resume-record.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { stashSectorBytes } from "../../../format/stash.ts";
import { finalLine, judge } from "../run/judge.ts";
import { tinyMachine } from "../run/tiny-machine.ts";
import { handedOver } from "./handed-over.ts";
import { rescuePrompt } from "./run-with-faults.ts";

const seconds = 900;

test("a ramdisk that is reset in every start, as a kernel that panics would be, ends as the rescue system", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-faults-"));
  const start = await handedOver();
  const image = await start.diskArmed(folder);
  const { startBytes } = (await start.readStash(image)).space!.loader;
  const file = await open(image, "r+");
  const almost = encodeResumeRecord({ starts: startsAtMost - 1, failures: 0 });
  await file.write(almost, 0, stashSectorBytes, startBytes);
  await file.close();
  const consoleLog = join(folder, "console.log");
  const machine = await launch(tinyMachine({ file: image }), { accelerator: "tcg", consoleLog });
  try {
    await machine.console.waitFor(new RegExp(`resumed; start ${startsAtMost}, 0 failures`), seconds);
    // Before anything of this start is verified.
    await machine.reset();
    const line = (await machine.console.waitFor(finalLine, seconds))[0];
    expect(judge(line, start.recording.reference)).toMatchObject({ outcome: "rescue" });
    await machine.console.waitFor(rescuePrompt, 120);
    expect(machine.console.textSince(0)).toMatch(
      new RegExp(`was started ${startsAtMost + 1} times and never came to its end`),
    );
  } finally {
    await machine.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
