import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { launch } from "../../builder/vm/launch.ts";
import { MiB } from "../../format/sizes.ts";
import { debianKernel } from "../fixtures/kernels.ts";

const lines = 2400;
/** Between two portions the machine is silent for longer than the reader is away, so that it never misses more than one: 40 KiB. */
const portion = 600;
const awayMs = 400;
/** A kernel that prints waits 10 ms for its serial line, and goes on. */
const init = `#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
echo on >/proc/sys/kernel/printk_devkmsg
count=0
while [ $count -lt ${lines} ]; do
    echo "<1>line $count of many, all of them the same but for the number" >/dev/kmsg
    count=$((count + 1))
    [ $((count % ${portion})) -gt 0 ] || /bin/busybox sleep 0.5
done
echo "<1>that is all" >/dev/kmsg
/bin/busybox sleep 1
/bin/busybox poweroff -f
`;

test("a reader that is late again and again loses nothing of what the machine says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-serial-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const machine = await launch(
    {
      name: "talker",
      machine: "q35",
      memoryBytes: 256 * MiB,
      cpus: 1,
      drives: [],
      nics: [],
      display: "none",
      onReset: "stop",
      boot: {
        kernel: (await debianKernel("cloud-amd64")).image,
        initrd: makeInitramfs(folder),
        append: "console=ttyS0 quiet",
      },
    },
    { accelerator: "tcg" },
  );
  try {
    await machine.console.waitFor(/line 0 /, 120);
    let stalls = 0;
    const stalling = setInterval(() => {
      stalls += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, awayMs);
    }, 10);
    await machine.console.waitFor(/that is all/, 120).finally(() => clearInterval(stalling));
    expect(stalls).toBeGreaterThan(1);
    await machine.ended(60);
    const told = machine.console.lines.map(({ text }) => text.replace(/^\[[ .\d]+\] /, ""));
    expect(told.filter((line) => line.startsWith("line"))).toEqual(
      Array.from(
        { length: lines },
        (_, number) => `line ${number} of many, all of them the same but for the number`,
      ),
    );
  } finally {
    await machine.kill();
  }
});

function makeInitramfs(folder: string): string {
  const root = join(folder, "root");
  mkdirSync(root);
  writeFileSync(join(root, "init"), init, { mode: 0o755 });
  const image = join(folder, "initramfs.img");
  const script = `cp -L --parents /bin/busybox $(ldd /bin/busybox | grep -o '/[^ ]*') .
    find . | cpio -o -H newc --quiet >"$0"`;
  execFileSync("sh", ["-euc", script, image], { cwd: root });
  return image;
}
