import { describe, expect, test } from "vitest";
import { damagedGrubenvs } from "../../fixtures/damaged-grubenv.ts";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

const file = "/boot/dualroot/grub/grubenv";
const gateway = `${freshGateway}
printf 'set slot_a="VA-root_a"\\nset slot_b="VA-root_b"\\n' >/boot/dualroot/grub/grub.cfg
`;
const provenOther = `mkdir -p /dev/mapper; mount -t tmpfs none /dev/mapper; : >/dev/mapper/VA-root_b
mkdir /other; mount -t tmpfs /dev/mapper/VA-root_b /other; mkdir /other/boot; : >/other/boot/slot.proven
`;
const shells = { dash: "dash", bash: "bash", busybox: "busybox" };

/** Each damage, and what is there after a repair: one line of `NAME=VALUE` words with tabs between. */
const repairAll = damagedGrubenvs
  .map(({ bytes }, index) => {
    const damage =
      bytes === undefined
        ? `rm -f ${file}`
        : `echo '${bytes.toString("base64")}' | base64 -d >${file}; [ $(wc -c <${file}) = ${bytes.length} ] || echo NOT DAMAGED`;
    return `${damage}
/usr/lib/dualroot/grub-editenv ${file} list >/dev/null 2>&1 && echo NOT DAMAGED
/usr/lib/dualroot/repair-grubenv 2>/stderr || echo FAILED
grep -q 'Written anew: ' /stderr || echo SAID NOTHING
printf 'CASE ${index}\\t%s\\t' $(wc -c <${file}); /usr/bin/grub-editenv ${file} list | tr '\\n' '\\t'; echo`;
  })
  .join("\n");

describe.each(Object.entries(shells))("in %s", (name, shell) => {
  test("every damaged file becomes a good one, says so, and keeps what could be read", async () => {
    const { output } = await inThrowAwaySystem(
      `${gateway}ln -sf $(command -v ${shell}) /bin/sh; ${repairAll}\ngrep -c grubenv-repaired /data/dualroot/history.jsonl`,
    );
    expect(output).not.toMatch(/NOT DAMAGED|FAILED|SAID NOTHING/);
    const found = output.split("\n").flatMap((line) => {
      const [title, bytes, ...words] = line.split("\t");
      if (!title?.startsWith("CASE")) return [];
      return [{ bytes, ...Object.fromEntries(words.filter(Boolean).map((word) => word.split("="))) }];
    });
    expect(found).toEqual(damagedGrubenvs.map(({ repaired }) => ({ bytes: "1024", ...repaired })));
    expect(output.trim().split("\n").at(-1), name).toBe(String(damagedGrubenvs.length));
  });
});

test("a good file is not touched", async () => {
  const { output } = await inThrowAwaySystem(
    `${gateway}before=$(stat -c '%i %Y %Z' ${file}); sleep 1; /usr/lib/dualroot/repair-grubenv; [ "$before" = "$(stat -c '%i %Y %Z' ${file})" ] && echo SAME; ls /data`,
  );
  expect(output.trim()).toBe("SAME");
});

test("a word that is missing is written, one that is there twice counts as GRUB reads it; in place", async () => {
  const { output } =
    await inThrowAwaySystem(`${gateway}grub-editenv - unset ORDER B_TRY; node=$(stat -c %i ${file})
    { printf 'A_TRY=2\\n'; } | dd of=${file} bs=1 seek=$(grep -a -b -o '#####' ${file} | head -n 1 | cut -d: -f1) conv=notrunc 2>/dev/null
    [ "$(grep -a -c ^A_TRY= ${file})" = 2 ] && echo TWICE
    /usr/lib/dualroot/repair-grubenv; [ "$node" = "$(stat -c %i ${file})" ] && echo SAME; /usr/bin/grub-editenv ${file} list | sort; cat /data/dualroot/history.jsonl`);
  expect(output).toContain("TWICE\nSAME\nA_OK=1\nA_TRY=2\nB_OK=0\nB_TRY=0\nORDER=A B\n");
  expect(output).toContain('"event":"grubenv-repaired"');
});

test("the other slot is good only if it was healthy once", async () => {
  const { output } = await inThrowAwaySystem(
    `${gateway}${provenOther}: >${file}; /usr/lib/dualroot/repair-grubenv; grub-editenv - list`,
  );
  expect(output).toContain("ORDER=A B\nA_OK=1\nA_TRY=1\nB_OK=1\nB_TRY=0");
});

test("the slot that the health gate has found good has no try to its name", async () => {
  const { output } = await inThrowAwaySystem(
    `${gateway}: >${file}; mkdir -p /run/dualroot; echo '{"state":"good","slot":"A","message":"healthy"}' >/run/dualroot/health
    /usr/lib/dualroot/repair-grubenv; grub-editenv - list`,
  );
  expect(output).toContain("A_OK=1\nA_TRY=0\n");
});

test("whoever sets a value in a damaged file, RAUC too, has it repaired first; who only reads does not", async () => {
  const { output } = await inThrowAwaySystem(`${gateway}: >${file}
    grub-editenv ${file} list; echo LISTED $? $(wc -c <${file})
    grub-editenv ${file} set B_OK=1 B_TRY=0; echo SET $?; /usr/bin/grub-editenv ${file} list; ls /boot/dualroot/grub`);
  expect(output).toContain("LISTED 1 0");
  expect(output).toContain("SET 0");
  expect(output).toContain("A_OK=1\nA_TRY=1\nB_OK=1\nB_TRY=0");
  expect(output.trim().split("\n").slice(-2)).toEqual(["grub.cfg", "grubenv"]);
});

test.each([
  [
    "the folder is read-only",
    "mount --bind /boot/dualroot/grub /boot/dualroot/grub; mount -o remount,bind,ro /boot/dualroot/grub",
    "read-only",
  ],
  ["the partition is not mounted", "rm /boot/dualroot/grub/grub.cfg", "is /boot/dualroot mounted?"],
])("changes nothing and says why: %s", async (_, prepare, reason) => {
  const { output } = await inThrowAwaySystem(`${gateway}printf short >${file}; ${prepare}
    /usr/lib/dualroot/repair-grubenv; echo EXIT $?; cat ${file}; echo; ls -A /boot/dualroot/grub /data`);
  expect(output).toContain(reason);
  expect(output).toContain("EXIT 1\nshort\n");
  expect(output).not.toContain("grubenv.new");
  expect(output).not.toContain("dualroot/history");
});

test("killed at any moment it leaves the damaged file or the good one, and the next run mends it", async () => {
  const { output } = await inThrowAwaySystem(`${gateway}printf short >/damaged
    for hundredths in 02 04 06 08 10 12 14 16 18 20 25 30 40; do
      cp /damaged ${file}; timeout -s KILL 0.$hundredths /usr/lib/dualroot/repair-grubenv 2>/dev/null; code=$?
      /usr/bin/sleep 0.1
      if cmp -s /damaged ${file}; then echo "DAMAGED $code"; elif /usr/bin/grub-editenv ${file} list >/dev/null; then echo "GOOD $code"; else echo "NEITHER $code"; fi
      /usr/lib/dualroot/repair-grubenv 2>/dev/null; /usr/bin/grub-editenv ${file} list | grep -q ^A_OK=1 || echo NOT MENDED
    done`);
  expect(output).toContain("DAMAGED 137");
  expect(output).not.toMatch(/NEITHER|NOT MENDED/);
});

test("many writers at once lose nothing, and a damage in between is repaired once", async () => {
  const { output } = await inThrowAwaySystem(`${gateway}: >${file}
    for number in 1 2 3 4 5 6 7 8; do grub-editenv - set own$number=$number 2>/dev/null & done; wait
    grub-editenv - list; wc -c <${file}; grep -c grubenv-repaired /data/dualroot/history.jsonl`);
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) expect(output).toContain(`own${number}=${number}\n`);
  expect(output.trim().split("\n").slice(-2)).toEqual(["1024", "1"]);
});
